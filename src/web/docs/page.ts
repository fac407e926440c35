/** The documentation's pages: plain HTML without a script, so that they read anywhere and need no permission. */

export interface DocsPage {
  /** The last part of its address; empty for the first page. */
  readonly name: string;
  readonly title: string;
  /** HTML made of a file of docs/. */
  readonly body: string;
}

interface Group {
  readonly title: string;
  /** Names of pages, in reading order. */
  readonly pages: readonly string[];
}

/** What the left column shows. A page that is missing here is not built. */
export const groups: readonly Group[] = [
  { title: 'Start', pages: ['', 'quick-start'] },
  {
    title: 'For developers',
    pages: [
      'link-sdk',
      'link-protocol',
      'node-sdk',
      'vault',
      'proxy',
      'clients',
      'usage',
      'webhooks',
      'api-overview',
      'errors',
    ],
  },
  { title: 'For operators', pages: ['self-hosting', 'configuration', 'prices', 'worked-examples'] },
  { title: 'How it works', pages: ['architecture', 'threat-model', 'benchmarks', 'decisions'] },
];

interface Surroundings {
  /** All pages, in the order of the groups. */
  readonly pages: readonly DocsPage[];
  readonly style: string;
  readonly icon: string;
}

export function docsHtml(page: DocsPage, { pages, style, icon }: Surroundings): string {
  const title = page.name === '' ? 'KeyPass documentation' : `${page.title} · KeyPass`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" type="image/svg+xml" href="/assets/${icon}">
<link rel="stylesheet" href="/assets/${style}">
</head>
<body>
<a class="skip" href="#text">Skip to the text</a>
<header>
<a class="brand" href="/">KeyPass</a>
<span class="links"><a class="to-pages" href="#pages">Pages</a><a href="/docs/api">API explorer</a><a href="/vault">Vault</a><a href="/console">Console</a></span>
</header>
<div class="columns">
<main id="text">
<article>
${page.body}</article>
${neighbours(page, pages)}
</main>
<nav id="pages" aria-label="Documentation">
${groups.map((group) => navGroup(group, page, pages)).join('\n')}
</nav>
</div>
</body>
</html>
`;
}

export function addressOf(name: string): string {
  return name === '' ? '/docs' : `/docs/${name}`;
}

function navGroup({ title, pages: names }: Group, current: DocsPage, pages: readonly DocsPage[]): string {
  const items = names.map((name) => {
    const here = name === current.name ? ' aria-current="page"' : '';
    return `<li><a href="${addressOf(name)}"${here}>${titleOf(name, pages)}</a></li>`;
  });
  return `<section><h2>${title}</h2><ul>${items.join('')}</ul></section>`;
}

function neighbours(page: DocsPage, pages: readonly DocsPage[]): string {
  const at = pages.indexOf(page);
  const link = (neighbour: DocsPage | undefined, rel: 'prev' | 'next') =>
    neighbour === undefined ? '' : `<a rel="${rel}" href="${addressOf(neighbour.name)}">${neighbour.title}</a>`;
  return `<footer>${link(pages[at - 1], 'prev')}${link(pages[at + 1], 'next')}</footer>`;
}

function titleOf(name: string, pages: readonly DocsPage[]): string {
  const page = pages.find((candidate) => candidate.name === name);
  if (page === undefined) throw new Error(`The documentation has no page "${name}".`);
  return name === '' ? 'Overview' : page.title;
}
