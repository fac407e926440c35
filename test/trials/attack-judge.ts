import type { Arrived } from './attack-provider.ts';
import type { Answer, Heard } from './attack-socket.ts';
import { type Arrival, type Case, fill, type Words } from './attack/case.ts';
import { targetOf } from './attack/providers.ts';

/** What a case is filled in with, and the owner's key of each provider. */
interface Known {
  readonly words: Words;
  readonly keys: Readonly<Record<string, string>>;
}

/** What contradicts a case's expectations, in words; empty if all came as it should. */
export function rulesBroken(attack: Case, heard: Heard, arrived: readonly Arrived[], known: Known): string[] {
  return [
    ...faultsOfOutcome(attack, heard),
    ...faultsOfArrivals(attack, arrived, known),
    ...heard.answers.flatMap(faultsOfAnswer),
    ...contents(attack, heard, known.words),
  ];
}

function faultsOfOutcome({ answers }: Case, heard: Heard): string[] {
  const wasCut = heard.isClosed && heard.answers.length < answers.length;
  const came = [...heard.answers.map(outcome), ...(wasCut ? ['closed'] : [])].join(', ');
  const wanted = answers.join(', ');
  return came === wanted ? [] : [`answered ${came || 'nothing'} in place of ${wanted || 'nothing'}`];
}

function faultsOfArrivals(attack: Case, arrived: readonly Arrived[], known: Known): string[] {
  const { arrives } = attack;
  if (arrived.length > arrives.length)
    return [`reached a provider: ${arrived.map(({ provider, head }) => `${provider} ${firstLine(head)}`).join(', ')}`];
  return arrives.flatMap((arrival, at) => {
    const request = arrived[at];
    return request === undefined
      ? ['did not arrive']
      : differences(arrival, request, sentBody(attack, known.words), known);
  });
}

function outcome({ status, head }: Answer): string {
  const code = header(head, 'x-keypass-error');
  return code === undefined ? String(status) : `${status} ${code}`;
}

export function firstLine(head: string): string {
  return head.split('\r\n', 1)[0] ?? '';
}

function header(head: string, name: string): string | undefined {
  return new RegExp(`^${name}: *(.*)$`, 'im').exec(head)?.[1];
}

function sentBody({ send }: Case, words: Words): string {
  const text = fill(send, words);
  return text.slice(text.indexOf('\r\n\r\n') + 4);
}

/** Names and values of a head, as they stand there. */
function headersOf(head: string): [string, string][] {
  return head
    .split('\r\n')
    .slice(1)
    .map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]);
}

function differences(arrival: Arrival, request: Arrived, sent: string, known: Known): string[] {
  const { provider, head, body, isChunked } = request;
  const { words } = known;
  const faults: string[] = [];
  if (provider !== arrival.provider) faults.push(`arrived at ${provider}`);
  const line = `${fill(arrival.line, words)} HTTP/1.1`;
  if (firstLine(head) !== line) faults.push(`arrived as ${firstLine(head)}`);
  if (isChunked !== (arrival.isChunked ?? false)) faults.push('arrived with another framing');
  const wanted = arrival.body === undefined ? sent : fill(arrival.body, words);
  if (wanted !== '*' && body !== wanted) faults.push(`arrived with another body: ${body}`);
  return [...faults, ...differentHeaders(headersOf(head), expectedHeaders(arrival, request, known))];
}

/** A header that came twice is found to be there once too often. */
function differentHeaders(came: readonly [string, string][], wanted: Readonly<Record<string, string>>): string[] {
  const missing = new Map(Object.entries(wanted));
  const faults: string[] = [];
  for (const [name, value] of came) {
    const allowed = missing.get(name);
    if (allowed === undefined) faults.push(`arrived with ${name}`);
    else if (allowed !== '*' && allowed !== value) faults.push(`arrived with another ${name}: ${value}`);
    missing.delete(name);
  }
  return [...faults, ...[...missing.keys()].map((name) => `arrived without ${name}`)];
}

/** All that may go up. */
function expectedHeaders(
  arrival: Arrival,
  { body, isChunked }: Arrived,
  { words, keys }: Known,
): Record<string, string> {
  const { keyHeader, own = {} } = targetOf(arrival.provider);
  const key = keys[arrival.provider] ?? '';
  const isPost = arrival.line.startsWith('POST ');
  const given = Object.entries(arrival.headers ?? {}).map(([name, value]) => [name, fill(value, words)]);
  return {
    host: '*',
    connection: 'keep-alive',
    accept: '*/*',
    'accept-encoding': 'identity',
    'user-agent': 'KeyPass',
    ...(isPost ? { 'content-type': 'application/json' } : {}),
    ...(isPost && !isChunked ? { 'content-length': String(body.length) } : {}),
    ...(isChunked ? { 'transfer-encoding': 'chunked' } : {}),
    ...own,
    [keyHeader]: keyHeader === 'authorization' ? `Bearer ${key}` : key,
    ...Object.fromEntries(given),
  };
}

/** What no answer of KeyPass may have, whoever made it. */
const forbidden =
  /^(?:set-cookie|clear-site-data|service-worker-allowed|location|refresh|link|access-control-[\w-]+|alt-svc|server|x-powered-by):/im;

function faultsOfAnswer({ head, body, status }: Answer): string[] {
  const faults: string[] = [];
  const found = forbidden.exec(head)?.[0];
  if (found !== undefined) faults.push(`answered with ${found}`);
  // Bun's own refusal of what is no HTTP has nothing of KeyPass in it.
  const isBun = /^connection: close$/im.test(head) && body === '';
  if (!isBun && header(head, 'x-request-id') === undefined) faults.push(`an answer without an id: ${status}`);
  for (const name of ['x-request-id', 'x-keypass-error', 'content-security-policy', 'content-type', 'content-length'])
    if (headersOf(head).filter(([each]) => each === name).length > 1) faults.push(`answered with ${name} twice`);
  if (/\.ts:\d|node_modules|PostgresError|\bat \w+ \(/.test(body)) faults.push('told of its inside');
  return faults;
}

function contents({ has = [], lacks = [] }: Case, { answers }: Heard, words: Words): string[] {
  const text = answers.map(({ head, body }) => `${head}\r\n\r\n${body}`).join('\r\n');
  return [
    ...has.filter((part) => !text.includes(fill(part, words))).map((part) => `answered without ${part}`),
    ...lacks.filter((part) => text.includes(fill(part, words))).map((part) => `answered with ${part}`),
  ];
}
