import { texts } from '../ui/texts.ts';

const formats = [
  ['csv', 'CSV'],
  ['ndjson', 'NDJSON'],
] as const;

/** Links to the files of what is shown. The browser fetches them itself, with the session's cookie. */
export function Downloads({ what, url }: { what: string; url: (format: 'csv' | 'ndjson') => string }) {
  return (
    <span class="downloads small">
      <span class="muted">{texts.usage.download}</span>
      {formats.map(([format, name]) => (
        <a key={format} href={url(format)} aria-label={texts.usage.downloadAs(what, name)} download>
          {name}
        </a>
      ))}
    </span>
  );
}
