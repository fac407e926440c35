/**
 * Makes the pages of /docs out of docs/*.md, and the API explorer's page and files. `build-web.ts` writes them beside
 * the other pages, so the server and the single binary serve them like those.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Marked, type Tokens } from 'marked';
import { addressOf, docsHtml, type DocsPage, groups } from '../src/web/docs/page.ts';
import { explorerHtml } from '../src/web/docs/explorer-page.ts';

const root = join(import.meta.dir, '..');
const docs = join(root, 'docs');

/** Pages that stand elsewhere: an SDK's own page is what comes with its package. */
const elsewhere: Readonly<Record<string, string>> = {
  'link-sdk': '../sdk/link-sdk/README.md',
  'link-protocol': '../sdk/link-sdk/PROTOCOL.md',
  'node-sdk': '../sdk/node-sdk/README.md',
  vault: '../sdk/vault/README.md',
};

/** What build-web.ts watches for changes. */
export const docsInputs = [
  'docs',
  'scripts/build-docs.ts',
  ...Object.values(elsewhere).map((file) => join('docs', file)),
];

/** The files of the documentation by their names in the manifest of dist/web; `icon` is the name of the pages' icon. */
export async function buildDocs(icon: string): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  const add = (path: string, content: string | Uint8Array) => {
    files.set(path, typeof content === 'string' ? new TextEncoder().encode(content) : content);
  };
  const addHashed = (name: string, extension: string, content: string | Uint8Array): string => {
    const hash = createHash('sha256').update(content).digest('hex').slice(0, 8);
    const file = `${name}-${hash}.${extension}`;
    add(`assets/${file}`, content);
    return file;
  };
  const style = addHashed('docs', 'css', await bundled(new URL('../src/web/docs/docs.css', import.meta.url)));
  const pages = readPages();
  for (const page of pages) add(manifestName(page.name), docsHtml(page, { pages, style, icon }));

  const library = readFileSync(new URL('browser/standalone.js', import.meta.resolve('@scalar/api-reference')));
  const scripts = [
    addHashed('explorer-storage', 'js', await bundled(new URL('../src/web/docs/explorer-storage.ts', import.meta.url))),
    addHashed('explorer-library', 'js', library),
    addHashed('explorer', 'js', await bundled(new URL('../src/web/docs/explorer.ts', import.meta.url))),
  ];
  add(manifestName('api'), explorerHtml({ scripts, icon: readUi('icon.svg'), tokens: readUi('tokens.css') }));
  return files;
}

function readUi(file: string): string {
  return readFileSync(join(root, 'src/web/ui', file), 'utf8');
}

/** The pages in reading order, as HTML. Throws for a link that leads nowhere. */
export function readPages(): DocsPage[] {
  const names = groups.flatMap(({ pages }) => pages);
  const pages = names.map((name) => render(name, name === 'decisions' ? readDecisions() : readMarkdown(fileOf(name))));
  refuseBrokenLinks(pages);
  return pages;
}

function manifestName(page: string): string {
  return page === '' ? 'docs.html' : `docs-${page}.html`;
}

function fileOf(name: string): string {
  return elsewhere[name] ?? (name === '' ? 'README.md' : `${name}.md`);
}

function readMarkdown(file: string): string {
  return readFileSync(join(docs, file), 'utf8');
}

/** One page of all notes: the index first, then each note as a section that is named like its file. */
function readDecisions(): string {
  const notes = readdirSync(join(docs, 'decisions'))
    .filter((file) => file.endsWith('.md') && file !== 'README.md')
    .toSorted();
  const sections = notes.map((file) => {
    // Notes link to each other by their bare names.
    const [title = '', ...text] = readMarkdown(`decisions/${file}`)
      .replaceAll(/\]\(([\w-]+\.md)\)/g, '](decisions/$1)')
      .split('\n');
    return [`#${title} {#${file.replace(/\.md$/, '')}}`, ...text].join('\n');
  });
  return [readMarkdown('decisions/README.md'), ...sections].join('\n');
}

function render(name: string, markdown: string): DocsPage {
  const marked = new Marked({ renderer: { heading, table, link, code } });
  const body = marked.parse(markdown, { async: false });
  const [, title = ''] = /^# (.+)$/m.exec(markdown) ?? [];
  if (title === '') throw new Error(`docs/${fileOf(name)} has no title.`);
  return { name, title: escaped(title), body };
}

/** A heading is its own link. `{#name}` at its end gives it an anchor; else it is made as GitHub makes it. */
function heading(this: { parser: { parseInline(tokens: Tokens.Generic[]): string } }, token: Tokens.Heading): string {
  const [, text = token.text, named] = /^(.*?)(?: \{#([\w-]+)\})?$/.exec(token.text) ?? [];
  const html = this.parser.parseInline(token.tokens).replace(/ \{#[\w-]+\}$/, '');
  if (token.depth === 1) return `<h1>${html}</h1>\n`;
  const id = named ?? anchorOf(text);
  return `<h${token.depth} id="${id}"><a href="#${id}">${html}</a></h${token.depth}>\n`;
}

function anchorOf(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-');
}

/** A wide table scrolls in itself. */
function table(this: { parser: { parseInline(tokens: Tokens.Generic[]): string } }, token: Tokens.Table): string {
  const row = (cells: Tokens.TableCell[], tag: 'th' | 'td') =>
    `<tr>${cells.map((cell) => `<${tag}>${this.parser.parseInline(cell.tokens)}</${tag}>`).join('')}</tr>`;
  const head = token.header.some((cell) => cell.text !== '') ? `<thead>${row(token.header, 'th')}</thead>` : '';
  const rows = token.rows.map((cells) => row(cells, 'td')).join('\n');
  return `<div class="table" tabindex="0"><table>${head}<tbody>${rows}</tbody></table></div>\n`;
}

/** Long lines scroll in their block; the keyboard reaches what scrolls. */
function code({ text }: Tokens.Code): string {
  return `<pre tabindex="0"><code>${escaped(text)}</code></pre>\n`;
}

/** Links between files, which work in a checkout, become links between pages. */
function link(this: { parser: { parseInline(tokens: Tokens.Generic[]): string } }, token: Tokens.Link): string {
  const text = this.parser.parseInline(token.tokens);
  return `<a href="${escaped(hrefOf(token.href))}">${text}</a>`;
}

function hrefOf(href: string): string {
  const [, path = '', anchor = ''] = /^(?:\.{1,2}\/)*([\w/.-]*)(#.*)?$/.exec(href) ?? [];
  if (/^https?:|^mailto:/.test(href) || href.startsWith('/') || path === '') return href;
  const [, note] = /^decisions\/([\w-]+)\.md$/.exec(path) ?? [];
  if (note !== undefined) return note === 'README' ? '/docs/decisions' : `/docs/decisions#${note}`;
  const [sdkPage] = Object.entries(elsewhere).find(([, file]) => file === `../${path}`) ?? [];
  if (sdkPage !== undefined) return `${addressOf(sdkPage)}${anchor}`;
  if (!path.endsWith('.md')) throw new Error(`A link of the documentation leads out of it: ${href}`);
  return `${addressOf(path === 'README.md' ? '' : path.replace(/\.md$/, ''))}${anchor}`;
}

function refuseBrokenLinks(pages: readonly DocsPage[]): void {
  const places = new Set(['/docs/api', '/', '/vault', '/console', '/openapi.json', '/sdk/link.js']);
  for (const { name, body } of pages) {
    places.add(addressOf(name));
    for (const [, id = ''] of body.matchAll(/ id="([^"]+)"/g)) places.add(`${addressOf(name)}#${id}`);
  }
  const broken = pages.flatMap(({ name, body }) =>
    [...body.matchAll(/ href="([/#][^"]*)"/g)]
      .map(([, href = '']) => (href.startsWith('#') ? `${addressOf(name)}${href}` : href))
      .filter((href) => !places.has(href))
      .map((href) => `${addressOf(name)} → ${href}`),
  );
  if (broken.length > 0) throw new Error(`Links of the documentation that lead nowhere:\n  ${broken.join('\n  ')}`);
}

/** A file as a browser runs or reads it. */
async function bundled(file: URL): Promise<string> {
  const { outputs } = await Bun.build({
    entrypoints: [file.pathname],
    target: 'browser',
    format: 'iife',
    minify: true,
  });
  const [output, second] = outputs;
  if (output === undefined || second !== undefined) throw new Error(`expected one bundle of ${file.pathname}`);
  return output.text();
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
