import type { Case, Family } from './case.ts';
import { type Target, openai, targets } from './providers.ts';
import { get, post } from './requests.ts';

const empty = 'Content-Length: 0';

function answer(status: string, ...headers: readonly string[]): string {
  return [`HTTP/1.1 ${status}`, ...headers, '', ''].join('\r\n');
}

const statuses = ['300', '301', '302', '303', '305', '307', '308'];

/** A provider sends the call away: it ends here, and the key with it. */
function toSink(target: Target, status: string): Case {
  const { id, list } = target;
  return {
    name: `${id} answers ${status}`,
    send: get(`/v1/proxy/passthrough/${id}${list}`),
    told: answer(`${status} Elsewhere`, 'Location: http://$SINK/v1/models', empty),
    answers: ['502 provider_redirected'],
    arrives: [{ provider: id, line: `GET ${list}` }],
    lacks: ['$SINK'],
  };
}

/** The same with a body, which a client would have to send again. */
function withBody({ id, chat, body }: Target, status: string): Case {
  return {
    name: `${id} answers a chat with ${status}`,
    send: post(`/v1/proxy/passthrough/${id}${chat}`, JSON.stringify(body)),
    told: answer(`${status} Elsewhere`, 'Location: http://$SINK/v1/models', empty),
    answers: ['502 provider_redirected'],
    arrives: [{ provider: id, line: `POST ${chat}` }],
    lacks: ['$SINK'],
  };
}

const places = [
  'Location: //$SINK/',
  'Location: http://user:pass@$SINK/',
  'Location: \\\\$SINK\\',
  'Location: /v1/files',
  'Location: ?key=x',
  'Location:',
  'Location: javascript:alert(1)',
  'Location: file:///etc/passwd',
  'Location: http://169.254.169.254/latest/meta-data/',
  'Location: http://[::1]:1/',
  'Location: gopher://$SINK/',
  'Location: http://$SINK/\r\nLocation: http://$SINK/2',
  'Refresh: 0; url=http://$SINK/',
  'Content-Location: http://$SINK/',
  'X-Accel-Redirect: /etc/passwd',
  'X-Sendfile: /etc/passwd',
];

/** Other answers that would have a client go elsewhere, or ask again: passed on, without what says where. */
const passedOn: readonly (readonly [status: string, ...headers: string[]])[] = [
  ['200 OK', 'Refresh: 0; url=http://$SINK/'],
  ['200 OK', 'Location: http://$SINK/'],
  ['200 OK', 'Content-Location: http://$SINK/'],
  ['200 OK', 'Link: <http://$SINK/>; rel=preload'],
  ['200 OK', 'Alt-Svc: http/1.1="$SINK"; ma=99999'],
  ['200 OK', 'X-Accel-Redirect: /etc/passwd'],
  ['201 Created', 'Location: http://$SINK/'],
  ['202 Accepted', 'Location: http://$SINK/'],
  ['401 Unauthorized', 'WWW-Authenticate: Basic realm="$SINK"'],
  ['407 Proxy Authentication Required', 'Proxy-Authenticate: Basic realm="$SINK"'],
  ['408 Request Timeout', 'Connection: close'],
  ['409 Conflict', 'Location: http://$SINK/'],
  ['421 Misdirected Request', 'Location: http://$SINK/'],
  ['425 Too Early', 'Location: http://$SINK/'],
  ['426 Upgrade Required', 'Upgrade: TLS/1.0, HTTP/1.1'],
  ['429 Too Many Requests', 'Location: http://$SINK/'],
  ['503 Service Unavailable', 'Location: http://$SINK/'],
];

const path = '/v1/proxy/passthrough/openai/v1/models';
const arrives = [{ provider: 'openai', line: 'GET /v1/models' }];
const send = get(path);

const unified: readonly Case[] = statuses.map((status) => ({
  name: `unified chat, answered ${status}`,
  send: post('/v1/proxy/chat/completions', JSON.stringify({ provider: 'openai', ...openai.body })),
  told: answer(`${status} Elsewhere`, 'Location: http://$SINK/', empty),
  answers: ['502 provider_redirected'],
  arrives: [{ provider: 'openai', line: 'POST /v1/chat/completions', body: JSON.stringify(openai.body) }],
  lacks: ['$SINK'],
}));

export const redirects: Family = {
  name: 'redirects',
  cases: [
    ...targets.flatMap((target) => statuses.map((status) => toSink(target, status))),
    ...targets.flatMap((target) => ['302', '307'].map((status) => withBody(target, status))),
    ...unified,
    ...places.map((line) => ({
      name: `to ${line}`,
      send,
      told: answer('307 Elsewhere', line, empty),
      answers: ['502 provider_redirected'],
      arrives,
      lacks: ['$SINK'],
    })),
    ...passedOn.map(([status, ...headers]) => ({
      name: `${status} with ${headers.join(', ')}`,
      send,
      told: answer(status, ...headers, empty),
      answers: [status.startsWith('401') ? '502 provider_key_rejected' : status.slice(0, 3)],
      arrives,
      lacks: ['$SINK', '/etc/passwd'],
    })),
    ...['304 Not Modified', '306 Unused', '310 Many', '399 Odd'].map((status) => ({
      name: status,
      send,
      told: answer(status, 'Location: http://$SINK/', empty),
      answers: ['502 provider_redirected'],
      arrives,
      lacks: ['$SINK'],
    })),
    ...['100 Continue', '103 Early Hints'].map((status) => ({
      name: `${status} before the answer`,
      send,
      told: answer(status, 'Link: <http://$SINK/>; rel=preload', 'Location: http://$SINK/') + answer('200 OK', empty),
      answers: ['200'],
      arrives,
      lacks: ['$SINK'],
    })),
  ],
};
