import { basename, join } from 'node:path';

/** The page, bundled once at start, as routes: its address and the hashed files that it loads. */
export async function buildPage(keypassUrl: string): Promise<Record<string, Response>> {
  const { outputs } = await Bun.build({
    entrypoints: [join(import.meta.dir, 'page/index.html')],
    target: 'browser',
    publicPath: '/',
    define: { KEYPASS_URL: JSON.stringify(keypassUrl) },
    minify: true,
  });
  const routes: Record<string, Response> = {};
  for (const file of outputs) {
    const isPage = file.path.endsWith('.html');
    const headers = {
      ...security(keypassUrl),
      'content-type': file.type,
      'cache-control': isPage ? 'no-cache' : forever,
    };
    routes[isPage ? '/' : `/${basename(file.path)}`] = new Response(await file.arrayBuffer(), { headers });
  }
  return routes;
}

const forever = 'public, max-age=31536000, immutable';

/** Own files only; the link SDK asks KeyPass whether a link session has ended. */
function security(keypassUrl: string): Record<string, string> {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    `connect-src 'self' ${new URL(keypassUrl).origin}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    'content-security-policy': policy.join('; '),
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  };
}
