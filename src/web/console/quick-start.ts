interface Facts {
  /** Of this KeyPass server. */
  origin: string;
  clientId?: string;
  /** Known only right after it was made. */
  clientSecret?: string;
  /** Of the app: one on this machine is where the program will run. */
  allowedOrigins?: readonly string[];
}

export interface Snippet {
  step: 'install' | 'server' | 'page' | 'run';
  code: string;
}

/** From nothing to the first call: two files that run as they are, with the app's own ids where they are known. */
export function quickStart({ origin, clientId = 'kp_cid_…', clientSecret, allowedOrigins = [] }: Facts): Snippet[] {
  const home = allowedOrigins.find(isOnThisMachine) ?? 'http://localhost:3000';
  return [
    { step: 'install', code: installCode(clientSecret ?? 'kp_cs_…') },
    { step: 'server', code: serverCode(origin, clientId, new URL(home)) },
    { step: 'page', code: pageCode(origin) },
    { step: 'run', code: runCode(home, allowedOrigins) },
  ];
}

function isOnThisMachine(origin: string): boolean {
  const { protocol, hostname } = new URL(origin);
  return protocol === 'http:' && ['localhost', '127.0.0.1'].includes(hostname);
}

function installCode(clientSecret: string): string {
  return `# The packages are not on npm before the first release.
# Until then a checkout of KeyPass packs them: bun run build:sdk
npm install ../keypass/sdk/node-sdk/dist/keypass-node-sdk-*.tgz
export KEYPASS_CLIENT_SECRET=${clientSecret}`;
}

function serverCode(origin: string, clientId: string, { hostname, port }: URL): string {
  return `import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { KeyPassClient } from '@keypass/node-sdk';

const keypass = new KeyPassClient({
  baseUrl: '${origin}',
  clientId: '${clientId}',
  clientSecret: process.env.KEYPASS_CLIENT_SECRET,
});

const routes = {
  'GET /': () => readFile('page.html'),

  'POST /keypass/token': async () => {
    const { linkToken } = await keypass.createLinkSession({
      requestedProviders: ['openai'],
      budgetSuggestionCents: 1000,
    });
    return linkToken;
  },

  'POST /keypass/exchange': async (publicToken) => {
    // In a real app: keep it here, encrypted, one for each user. It never goes into a page.
    const { accessToken } = await keypass.exchangePublicToken(publicToken);
    const completion = await keypass.chatCompletion({
      accessToken,
      provider: 'openai',
      model: 'gpt-4o-mini',
      messages: [{ role: 'user', content: 'Say hello in one word.' }],
    });
    return completion.choices[0].message.content;
  },
};

createServer(async (request, response) => {
  response.setHeader('content-type', request.url === '/' ? 'text/html' : 'text/plain');
  try {
    const body = (await request.toArray()).join('');
    response.end((await routes[\`\${request.method} \${request.url}\`]?.(body)) ?? '');
  } catch (error) {
    response.statusCode = 500;
    response.end(error.message);
  }
}).listen(${port || '80'}, '${hostname}');`;
}

function pageCode(origin: string): string {
  return `<!doctype html>
<button id="connect">Connect your AI</button>
<p id="out"></p>
<script src="${origin}/sdk/link.js"></script>
<script>
  const out = document.querySelector('#out');
  const say = (text) => { out.textContent = text; };
  const post = async (path, body) => {
    const answer = await fetch(path, { method: 'POST', body });
    const text = await answer.text();
    if (!answer.ok) throw new Error(text);
    return text;
  };
  const handler = KeyPass.create({
    apiBaseUrl: '${origin}',
    token: () => post('/keypass/token'),
    onSuccess: ({ publicToken }) => post('/keypass/exchange', publicToken).then(say, say),
    onExit: (error) => say(error ? error.message : 'You closed the window.'),
  });
  // In a click: browsers block a window that opens by itself.
  document.querySelector('#connect').addEventListener('click', () => handler.open());
</script>`;
}

function runCode(home: string, allowedOrigins: readonly string[]): string {
  const hint = allowedOrigins.includes(home) ? '' : `\n# ${home} has to be among the app's allowed origins`;
  return `node server.mjs   # then open ${home}${hint}`;
}
