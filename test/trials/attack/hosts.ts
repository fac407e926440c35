import type { Case, Family } from './case.ts';
import { bearer, passes, refused, request } from './requests.ts';

const path = '/v1/proxy/passthrough/openai/v1/models';
const listed = { provider: 'openai', line: 'GET /v1/models' };

function asking(target: string, ...hosts: readonly string[]): string {
  return request(`GET ${target} HTTP/1.1`, [...hosts.map((name) => `Host: ${name}`), bearer]);
}

/** Ours: the origin, and this machine by its own names. */
const ours = [
  '$HOST',
  'LOCALHOST:$PORT',
  'LocalHost',
  'localhost',
  'localhost:1',
  '127.0.0.1',
  '127.0.0.1:$PORT',
  '[::1]:$PORT',
  '$SINK',
];

const foreign = [
  // Elysia looks for the path from the twelfth character of the URL on: a short host would shift it into the path.
  'x',
  'a:1',
  'a.b',
  '1',
  '::',
  '-',
  '.',
  '..',
  '*',
  '_',
  '[',
  ']',
  '[]',
  '@',
  ':',
  ':80',
  'evil.example',
  'evil.example:$PORT',
  'localhost.evil.example',
  'evil.localhost',
  'localhost.',
  'localhost.:$PORT',
  'localhost:',
  'localhost:0x50',
  'localhost:+80',
  'localhost:-1',
  'localhost: 80',
  'localhost:80:80',
  'localhost:999999',
  'localhost:70000',
  'localhost/',
  'localhost/v1/connection',
  'localhost/v1/proxy/passthrough/openai/v1/models?',
  'localhost#',
  'localhost?',
  'localhost\\',
  'localhost;a',
  'localhost, evil.example',
  'localhost evil.example',
  'localhost%00',
  'localhost%2f',
  'localhost\t.evil',
  'x/v1/connection',
  'x?/',
  'user@localhost',
  'user:pass@localhost',
  'localhost@evil.example',
  'evil.example@localhost',
  'evil.example#@localhost',
  'http://localhost',
  '//localhost',
  '127.1',
  '127.0.0.2',
  '127.0.1',
  '2130706433',
  '0x7f000001',
  '0177.0.0.1',
  '0',
  '0.0.0.0',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[0:0:0:0:0:0:0:1]',
  '[::1%25lo]',
  '[::1',
  '::1',
  '10.0.0.1',
  '169.254.169.254',
  'metadata.google.internal',
  'api.openai.com',
  'xn--localhost-9za',
  'localho\xc5\xbft',
  '\xe2\x93\x9bocalhost',
  'l\xc3\xb6calhost',
  '\xff',
  `${'a'.repeat(300)}.example`,
];

const twice: readonly (readonly string[])[] = [
  ['$HOST', 'evil.example'],
  ['evil.example', '$HOST'],
  ['$HOST', '$SINK'],
];

/** Names of the client's host in other headers count for nothing: neither for routing nor for what is answered. */
const asides = [
  'X-Forwarded-Host: evil.example',
  'X-Forwarded-Host: $SINK',
  'X-Forwarded-Server: $SINK',
  'X-Forwarded-Proto: https',
  'X-Forwarded-Port: 1',
  'X-Original-Host: $SINK',
  'X-Host: $SINK',
  'X-HTTP-Host-Override: $SINK',
  'Forwarded: host=$SINK;proto=https',
  'X-Original-URL: /v1/files',
  'X-Rewrite-URL: /v1/files',
  'X-Forwarded-Uri: /v1/files',
  'X-Forwarded-Prefix: //$SINK',
  'X-Upstream: http://$SINK',
  'X-Target-Url: http://$SINK',
  'X-Portkey-Custom-Host: http://$SINK',
  'X-Base-Url: http://$SINK',
  'Openai-Base-Url: http://$SINK',
  'Helicone-Target-Url: http://$SINK',
];

function everywhere(host: string): Case[] {
  const targets = [path, '/healthz'];
  return targets.map((target) =>
    refused(`${JSON.stringify(host).slice(0, 60)} asks for ${target}`, asking(target, host), '421 misdirected_host'),
  );
}

export const hosts: Family = {
  name: 'hosts',
  cases: [
    ...ours.map((name) => passes(name, asking(path, name), listed)),
    ...foreign.flatMap(everywhere),
    ...twice.map((names) => refused(names.join(' and '), asking(path, ...names), '421 misdirected_host')),
    refused('none', asking(path), '400'),
    refused('an empty one', asking(path, ''), '421 misdirected_host'),
    refused('none, in HTTP/1.0', request(`GET ${path} HTTP/1.0`, [bearer]), '421 misdirected_host'),
    ...asides.map((line) => passes(line, request(`GET ${path} HTTP/1.1`, ['Host: $HOST', bearer, line]), listed)),
  ],
};
