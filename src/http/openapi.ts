import { swagger } from '@elysiajs/swagger';
import { Elysia } from 'elysia';
import { finishedDocument, type RawDocument } from './openapi-document.ts';

interface Options {
  version: string;
  origin: string;
  cookieName: string;
}

const specPath = '/openapi.json';

const description = `People keep the API keys of their AI providers in a vault that the server cannot read at rest. Apps ask through
KeyPass Link to use them under a monthly budget, get an access token and call AI through the proxy.

Success is \`{ success: true, data }\`, failure \`{ success: false, error: { type, code, message, param?, docUrl, requestId } }\`.
Passthrough answers and the drop-in base URLs have their provider's own shape. What holds for all endpoints: [overview](/docs/api-overview).

Besides the errors that an operation names, any can answer 404 \`not_found\`, 421 \`misdirected_host\`, 500 \`internal_error\` and
503 \`database_unavailable\`.`;

/**
 * `/openapi.json`, out of the schemas that validate. The plugin's own explorer page would load its script from a CDN; it
 * stands at a path that the front door answers with KeyPass's own explorer.
 */
export function openApi(options: Options) {
  let finished: object | undefined;
  return new Elysia({ name: 'openapi' })
    .onAfterHandle(({ path, response }) =>
      path === specPath && isDocument(response) ? (finished ??= finishedDocument(response)) : undefined,
    )
    .use(plugin(options));
}

/** The plugin gives its answer no type. */
function isDocument(answer: unknown): answer is RawDocument {
  return typeof answer === 'object' && answer !== null && 'paths' in answer;
}

function plugin({ version, origin, cookieName }: Options) {
  return swagger({
    path: '/docs/api',
    specPath,
    exclude: ['/docs/api', specPath],
    excludeStaticFile: false,
    documentation: {
      info: { title: 'KeyPass', version, description, license: { name: 'MIT' } },
      servers: [{ url: origin }],
      tags: [
        { name: 'Accounts', description: 'Registration, sessions, unlocking and recovery' },
        { name: 'Keys', description: 'The vault: sealed keys and the providers they are for' },
        { name: 'Apps', description: "A developer's apps" },
        { name: 'Webhooks', description: 'What an app is told, and how it arrived' },
        { name: 'Link', description: 'An app asks, a person decides, the app exchanges' },
        { name: 'Connections', description: 'What was approved: budget, spend, pause, revoke' },
        { name: 'Proxy', description: 'Calls to AI providers' },
        { name: 'Usage', description: 'Totals and receipts' },
        { name: 'Operation', description: 'For operators' },
      ],
      components: {
        securitySchemes: {
          session: { type: 'http', scheme: 'bearer', description: "A person's session, kp_ss_…" },
          cookie: { type: 'apiKey', in: 'cookie', name: cookieName, description: "The same, for KeyPass's own pages" },
          app: { type: 'http', scheme: 'basic', description: "An app's client id and client secret" },
          linkToken: { type: 'http', scheme: 'bearer', description: 'kp_lt_…' },
          accessToken: { type: 'http', scheme: 'bearer', description: 'kp_at_…' },
        },
      },
    },
  });
}
