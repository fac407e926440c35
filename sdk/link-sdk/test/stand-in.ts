import { fileURLToPath } from 'node:url';

/** The page that PROTOCOL.md calls the window, reduced to its messages; the test says what it sends. */
const windowScript = `
  const fragment = new URLSearchParams(location.hash.slice(1));
  const token = fragment.get('token');
  globalThis.link = { hellos: 0, received: 0, token, state: fragment.get('state'), hello: undefined };
  globalThis.send = (type, more = {}) => {
    const { origin, nonce } = link.hello;
    opener.postMessage({ type: 'keypass:' + type, v: 1, nonce, ...more }, origin);
  };
  addEventListener('message', ({ source, origin, data }) => {
    if (source !== opener || data.v !== 1) return;
    if (data.type === 'keypass:received' && data.nonce === link.hello.nonce) link.received++;
    if (data.type !== 'keypass:hello') return;
    link.hellos++;
    link.hello = { origin, nonce: data.nonce };
    if (!token.startsWith('mute')) send('hello-ack');
  });
`;

const appScript = `
  globalThis.calls = [];
  globalThis.violations = [];
  addEventListener('securitypolicyviolation', ({ violatedDirective }) => violations.push(violatedDirective));
  globalThis.options = (token) => ({
    token,
    apiBaseUrl: document.documentElement.dataset.api,
    onSuccess: (result) => calls.push(['success', result]),
    onExit: (...error) => calls.push(['exit', ...error]),
    onEvent: (name) => calls.push(['event', name]),
  });
  globalThis.start = (token) => (globalThis.handler = KeyPass.create(options(token))).open();
  const { autostart } = document.documentElement.dataset;
  if (autostart) start(autostart);
`;

const document = (attributes: string, sources: string[]) =>
  `<!doctype html><html lang="en" ${attributes}><title>page</title><body>
   <button>app</button>${sources.map((source) => `<script src="${source}"></script>`).join('')}`;

function page(html: string, headers: Record<string, string> = {}): Response {
  return new Response(html, { headers: { 'content-type': 'text/html; charset=utf-8', ...headers } });
}

function script(text: string): Response {
  return new Response(text, { headers: { 'content-type': 'text/javascript; charset=utf-8' } });
}

async function sdkBundle(): Promise<string> {
  const entry = fileURLToPath(new URL('../src/global.ts', import.meta.url));
  const { outputs } = await Bun.build({ entrypoints: [entry], target: 'browser', format: 'iife', minify: true });
  const [bundle] = outputs;
  if (bundle === undefined) throw new Error('the SDK gave no bundle');
  return bundle.text();
}

/** An app and a stand-in KeyPass, each on its own loopback origin, and a third origin for attackers. */
export async function startSites() {
  const sdk = await sdkBundle();
  const state = { status: 'pending', polls: 0, urls: new Array<string>() };

  const keypass = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch(request) {
      const { pathname } = new URL(request.url);
      state.urls.push(request.url);
      if (pathname === '/window.js') return script(windowScript);
      if (pathname !== '/v1/link/session') return page(document('', ['/window.js']));
      const cors = { 'access-control-allow-origin': '*', 'access-control-allow-headers': 'authorization' };
      if (request.method === 'OPTIONS') return new Response(null, { headers: cors });
      state.polls++;
      return Response.json({ success: true, data: { status: state.status, expiresAt: '' } }, { headers: cors });
    },
  });
  const evil = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => page(document('', [])) });
  const api = `http://127.0.0.1:${keypass.port}`;
  const csp =
    `default-src 'none'; script-src 'self'; connect-src ${api}; frame-src ${api}; ` +
    `require-trusted-types-for 'script'; trusted-types 'none'`;

  const app = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname === '/sdk.js') return script(sdk);
      if (pathname === '/app.js') return script(appScript);
      const autostart = pathname === '/autostart' ? 'data-autostart="blocked"' : '';
      const coop = pathname === '/coop' ? { 'cross-origin-opener-policy': 'same-origin' } : undefined;
      const html = document(`data-api="${api}" ${autostart}`, ['/sdk.js', '/app.js']);
      return page(html, { 'content-security-policy': csp, ...coop });
    },
  });

  return Object.assign(state, {
    api,
    app: `http://127.0.0.1:${app.port}`,
    evil: `http://127.0.0.1:${evil.port}`,
    stop: () => Promise.all([keypass.stop(true), app.stop(true), evil.stop(true)]),
  });
}
