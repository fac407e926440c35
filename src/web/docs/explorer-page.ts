interface Parts {
  /** Names in /assets, in the order in which they run. */
  readonly scripts: readonly string[];
  /** The text of ui/icon.svg: inside the page, since a page without an origin may not load it from here. */
  readonly icon: string;
  /** The text of ui/tokens.css. */
  readonly tokens: string;
}

/** The page of /docs/api. It is served in a sandbox without an origin (see web/pages.ts), so its script may be foreign. */
export function explorerHtml({ scripts, icon, tokens }: Parts): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>API explorer · KeyPass</title>
<link rel="icon" type="image/svg+xml" href="data:image/svg+xml;base64,${btoa(icon)}">
<style>${tokens}
body { margin: 0; background: var(--bg); color: var(--text); font: 400 0.9375rem/1.5 var(--sans); }
.bar { display: flex; gap: 1rem; align-items: center; padding: 0.75rem 1.25rem; border-bottom: 1px solid var(--line); }
.bar a { color: var(--accent); }
.bar strong { margin-right: auto; }
noscript { display: block; padding: 2rem 1.25rem; }
</style>
</head>
<body>
<div class="bar"><strong>KeyPass API</strong><a href="/docs">Documentation</a><a href="/openapi.json">openapi.json</a></div>
<noscript>The explorer needs JavaScript. The document that it draws is <a href="/openapi.json">openapi.json</a>; the <a href="/docs/api-overview">overview of the API</a> needs none.</noscript>
<div id="explorer"></div>
${scripts.map((script) => `<script src="/assets/${script}"></script>`).join('\n')}
</body>
</html>
`;
}
