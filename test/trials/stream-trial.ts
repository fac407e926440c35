import { Vault } from '../../sdk/vault/src/index.ts';
import { openTestDatabase, type DatabaseKind } from '../harness/databases.ts';
import { startTestServer, type TestServer } from '../harness/server.ts';
import { chunk, eventStreamHead, startRawUpstream, type RawExchange } from '../harness/upstream.ts';
import { type Fault, type TrialResult, withCleanup } from './faults.ts';
import { framings, ownFraming, severalLines, type Framing } from './stream-framings.ts';
import { richRecordings, usageRecordings, type Recording } from './stream-recordings.ts';
import { saidBy } from './stream-said.ts';

interface StreamTrial {
  readonly kind: DatabaseKind;
  /** From one place of a split to the next, in bytes: 1 for all. */
  readonly step: number;
}

/** Which way a stream takes to its reader. */
const ways = ['passthrough, asked', 'passthrough', 'unified', 'OpenAI drop-in'] as const;
type Way = (typeof ways)[number];

/** A stream, how it is written, and the way it takes. */
interface Scene {
  readonly recording: Recording;
  readonly framing: Framing;
  readonly way: Way;
}

/** What goes through at once: each waits between the parts of its stream, so many share that time. */
const atOnce = 64;
/** Long enough for the first part to be read before the second comes. */
const pauseMs = 8;
/** The place of a split that stands for one after each byte, and the one for none. */
const everywhere = -1;
const nowhere = 0;

const providers = ['openai', 'anthropic', 'google', 'groq'] as const;

/** Sends streams of each API in two parts, split at each of their bytes, through the server's front door. */
export async function runStreamTrial({ kind, step }: StreamTrial): Promise<TrialResult> {
  return withCleanup(async (onEnd) => {
    const sent = new Map<string, Uint8Array>();
    const upstream = await startRawUpstream((exchange) => answer(exchange, sent));
    onEnd(() => upstream.stop());
    const database = await openTestDatabase(kind);
    onEnd(() => database.close());
    const settings = Object.fromEntries(
      providers.map((name) => [`KEYPASS_${name.toUpperCase()}_BASE_URL`, upstream.origin]),
    );
    const server = await startTestServer({ database, settings });
    onEnd(() => server.stop());
    const person = { baseUrl: server.url, email: 'ada@example.com', password: 'a long password' };
    const { vault } = await Vault.register(person);
    for (const provider of providers) await vault.keys.add({ provider, secret: 'k'.repeat(40) });
    const tally = new Tally();
    for (const [index, scene] of scenes().entries()) {
      const bytes = scene.framing.write(scene.recording, true);
      sent.set(`stream-${index}`, bytes);
      await play({ server, vault, tally, step }, scene, `stream-${index}`, bytes);
    }
    return { faults: tally.faults, figures: tally.figures() };
  });
}

function scenes(): Scene[] {
  const rich = richRecordings.flatMap((recording) => {
    const isUnified = recording.unified !== undefined;
    return ways
      .filter((way) => (way === 'passthrough' ? recording.mustBeAsked : way === 'passthrough, asked' || isUnified))
      .flatMap((way) => framingsFor(way, recording).map((framing) => ({ recording, framing, way })));
  });
  const way: Way = 'passthrough, asked';
  return [...rich, ...usageRecordings.map((recording) => ({ recording, framing: ownFraming, way }))];
}

/** Where a stream is read by the same code as elsewhere, the two that differ most will do. */
function framingsFor(way: Way, recording: Recording): readonly Framing[] {
  if (way === 'OpenAI drop-in') return [ownFraming, severalLines];
  const own = ownFraming.write(recording, true);
  const others = framings.filter(
    (each) => each === ownFraming || Buffer.compare(each.write(recording, true), own) !== 0,
  );
  return way === 'passthrough' ? others : [...others, severalLines];
}

interface Stage {
  readonly server: TestServer;
  readonly vault: Vault;
  readonly tally: Tally;
  readonly step: number;
}

/** One stream, split at one place after the other. */
async function play(stage: Stage, scene: Scene, id: string, bytes: Uint8Array): Promise<void> {
  const { server, vault, tally, step } = stage;
  const { accessToken } = await vault.connections.create({ name: id, providers: [...providers], budgetCents: 100_000 });
  const whole = await ask(server, accessToken, scene, id, nowhere);
  const { way, recording, framing } = scene;
  const differs = way.startsWith('passthrough')
    ? comparedWith(framing.write(recording, way !== 'passthrough'))
    : (got: Got) => comparedWith(normalized(whole))({ ...got, bytes: normalized(got) });
  const say = (rule: string, detail: string) => tally.fault(scene, rule, detail);
  if (!way.startsWith('passthrough')) for (const rule of faultsOfSaid(recording, whole.bytes)) say(rule, 'unsplit');
  const calls = new Map<string, string>([[whole.callId, 'unsplit']]);
  const places = [everywhere, ...Array.from({ length: Math.ceil(bytes.length / step) }, (_, at) => at * step)];
  const playSome = async () => {
    for (let at = places.pop(); at !== undefined; at = places.pop()) {
      const got = await ask(server, accessToken, scene, id, at);
      const where = at === everywhere ? 'split after every byte' : `split at ${at} of ${bytes.length}`;
      calls.set(got.callId, where);
      const difference = differs(got);
      if (difference !== undefined) say('other bytes', `${where}: ${got.status}, ${difference}`);
      tally.count(scene, at, got.pieces);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, playSome));
  await server.settled();
  for (const [rule, detail] of await faultsOfReceipts(server, calls, recording)) say(rule, detail);
  server.lines.length = 0;
}

interface Got {
  readonly callId: string;
  readonly status: number;
  readonly bytes: Uint8Array;
  /** In how many it came. */
  readonly pieces: number;
}

/** What no stream has, after one that ended before its end. */
const torn = new TextEncoder().encode('<torn>');

async function ask({ url }: TestServer, token: string, scene: Scene, id: string, at: number): Promise<Got> {
  const { path, body } = requestOf(scene, `${id} at ${at};`);
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
  const pieces: Uint8Array[] = [];
  try {
    for await (const piece of response.body ?? []) pieces.push(piece);
  } catch {
    pieces.push(torn);
  }
  const callId = response.headers.get('x-request-id') ?? '';
  return { callId, status: response.status, bytes: Buffer.concat(pieces), pieces: pieces.length };
}

/** The marker tells the provider what to send, in a place that comes through every translation. */
function requestOf({ recording, way }: Scene, marker: string): { path: string; body: object } {
  const { path, body, mustBeAsked, unified } = recording;
  const asking = { stream_options: { include_usage: true } };
  if (way === 'passthrough') return { path, body: withMarker(body, marker) };
  if (way === 'passthrough, asked')
    return { path, body: { ...withMarker(body, marker), ...(mustBeAsked ? asking : {}) } };
  const messages = [{ role: 'user', content: marker }];
  const { provider, model } = unified ?? {};
  const name = way === 'unified' ? { provider, model } : { model: `${provider}/${model}` };
  const chat = { ...name, messages, max_completion_tokens: 200, stream: true, ...asking };
  return { path: way === 'unified' ? '/v1/proxy/chat/completions' : '/openai/v1/chat/completions', body: chat };
}

function withMarker(body: Recording['body'], marker: string): object {
  if ('contents' in body) return { ...body, contents: [{ role: 'user', parts: [{ text: marker }] }] };
  if ('input' in body) return { ...body, input: marker };
  return { ...body, messages: [{ role: 'user', content: marker }] };
}

async function answer(exchange: RawExchange, sent: ReadonlyMap<string, Uint8Array>): Promise<void> {
  const [, id = '', place = ''] = /(stream-\d+) at (-?\d+);/.exec(exchange.body) ?? [];
  const bytes = sent.get(id) ?? new Uint8Array();
  const at = Number(place);
  await exchange.write(eventStreamHead);
  if (at === everywhere) {
    for (const byte of bytes) {
      await exchange.write(chunk(Uint8Array.of(byte)));
      await new Promise((resolve) => setImmediate(resolve));
    }
  } else {
    if (at !== nowhere) {
      await exchange.write(chunk(bytes.subarray(0, at)));
      await Bun.sleep(pauseMs);
    }
    await exchange.write(chunk(bytes.subarray(at)));
  }
  await exchange.write(chunk(''));
}

/** Where KeyPass writes an answer of its own, its time, the call's id and what is made of that are in it. */
function normalized({ bytes, callId }: Got): Buffer {
  const text = Buffer.from(bytes).toString('latin1').replaceAll(callId, 'call');
  const same = text.replaceAll(/"created":\d+/g, '"created":1').replaceAll(/"call_[0-9a-f]{24}/g, '"call_');
  return Buffer.from(same, 'latin1');
}

/** Says how an answer differs from the bytes that were expected, if it does. */
function comparedWith(expected: Uint8Array): (got: Pick<Got, 'bytes'>) => string | undefined {
  return ({ bytes }) => {
    if (Buffer.compare(expected, bytes) === 0) return undefined;
    const at = expected.findIndex((byte, index) => byte !== bytes[index]);
    const [got, wanted] = [bytes, expected].map((all) => Buffer.from(all.subarray(Math.max(0, at - 30), at + 60)));
    return `${bytes.length} bytes instead of ${expected.length}, from ${at}: ${String(got)} instead of ${String(wanted)}`;
  };
}

function faultsOfSaid({ unified }: Recording, bytes: Uint8Array): string[] {
  try {
    const { isWhole, ...said } = saidBy(bytes);
    const isSame = isWhole && Bun.deepEquals(said, unified?.said);
    return isSame ? [] : [`says something else: ${JSON.stringify(said)}`];
  } catch {
    return [`says nothing that can be read: ${Buffer.from(bytes).toString().slice(0, 300)}`];
  }
}

/** Each call has one receipt, with what the stream states. */
async function faultsOfReceipts({ database }: TestServer, calls: ReadonlyMap<string, string>, { used }: Recording) {
  const ids = [...calls.keys()];
  const rows = await database.sql<{ callId: string; quality: string; flags: string[]; usage: unknown }[]>`
    select call_id, quality, flags, usage from receipts where call_id = any(${ids}::text[]::uuid[])`;
  const faults: [rule: string, detail: string][] = [];
  if (rows.length !== calls.size) faults.push(['not one receipt for each call', `${rows.length} of ${calls.size}`]);
  for (const { callId, quality, flags, usage } of rows) {
    const seen = JSON.stringify([quality, flags.filter((flag) => flag !== 'overrun'), countsOf(usage)]);
    if (seen !== JSON.stringify(['measured', [], countsOf(used)]))
      faults.push(['other usage', `${calls.get(callId)}: ${seen}`]);
  }
  return faults;
}

/** The counts that are not zero, in one order. */
function countsOf(usage: unknown): [string, number][] {
  const entries = Object.entries(typeof usage === 'object' && usage !== null ? usage : {});
  const counts = entries.filter((entry): entry is [string, number] => typeof entry[1] === 'number' && entry[1] !== 0);
  return counts.toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** What was seen, way by way. */
class Tally {
  readonly faults: Fault[] = [];
  readonly #counts = new Map<Way, { streams: Set<Scene>; splits: number; split: number }>();

  fault({ recording, framing, way }: Scene, rule: string, detail: string): void {
    this.faults.push({ rule, detail: `${recording.name}, ${framing.name}, ${way}: ${detail}` });
  }

  count(scene: Scene, at: number, pieces: number): void {
    const counts = this.#counts.get(scene.way) ?? { streams: new Set(), splits: 0, split: 0 };
    this.#counts.set(scene.way, counts);
    counts.streams.add(scene);
    counts.splits += 1;
    if (at !== nowhere && pieces > 1) counts.split += 1;
  }

  figures(): Record<string, string> {
    return Object.fromEntries(
      [...this.#counts].map(([way, { streams, splits, split }]) => [
        way,
        `${streams.size} streams, ${splits} ways to split them, ${split} of which reached the client in pieces`,
      ]),
    );
  }
}
