/** What the explorer's library puts into the window. https://github.com/scalar/scalar, `@scalar/api-reference` */
declare const Scalar: { createApiReference(place: string, configuration: object): unknown };

/** KeyPass's own colours and fonts; the tokens are in the page's style. */
const customCss = `
.light-mode, .dark-mode {
  --scalar-font: var(--sans);
  --scalar-font-code: var(--mono);
  --scalar-color-1: var(--text);
  --scalar-color-2: var(--muted);
  --scalar-color-3: var(--muted);
  --scalar-color-accent: var(--accent);
  --scalar-background-1: var(--bg);
  --scalar-background-2: var(--sunken);
  --scalar-background-3: var(--line);
  --scalar-background-accent: var(--accent-soft);
  --scalar-border-color: var(--line);
}`;

// Everything that would call out, or could not work from a page without an origin, is off.
Scalar.createApiReference('#explorer', {
  url: '/openapi.json',
  theme: 'none',
  customCss,
  withDefaultFonts: false,
  telemetry: false,
  agent: { disabled: true },
  mcp: { disabled: true },
  showDeveloperTools: 'never',
  hideTestRequestButton: true,
  hideClientButton: true,
  hideDarkModeToggle: true,
  persistAuth: false,
  documentDownloadType: 'none',
  operationTitleSource: 'summary',
  hideModels: true,
  defaultOpenFirstTag: true,
});
