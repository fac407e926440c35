import type { ChatEvent, ChatRequest, ConnectionView, Failure } from '../protocol.ts';

/** What this app's server refused or could not do; `code` is stable. */
export class RequestFailed extends Error {
  override readonly name = 'RequestFailed';
  readonly code: string;

  constructor({ code, message }: Failure) {
    super(message);
    this.code = code;
  }
}

const cut: Failure = { code: 'answer_cut', message: 'The answer broke off. Try again.' };
const unreachable: Failure = { code: 'unreachable', message: 'Wren cannot be reached. Are you online?' };

export async function fetchLinkToken(path: '/connect' | '/ask-for-more'): Promise<string> {
  const { linkToken }: { linkToken: string } = await (await request('POST', path)).json();
  return linkToken;
}

export async function exchange(publicToken: string): Promise<ConnectionView> {
  return (await request('POST', '/exchange', { publicToken })).json();
}

/** Null if nothing is connected yet. */
export async function fetchConnection(): Promise<ConnectionView | null> {
  return (await request('GET', '/connection')).json();
}

export async function disconnect(): Promise<void> {
  await request('DELETE', '/connection');
}

/** The pieces of an answer as they come. Throws RequestFailed if it can't begin or breaks off. */
export async function* ask(chat: ChatRequest, signal: AbortSignal): AsyncGenerator<string, void, undefined> {
  const { body } = await request('POST', '/chat', chat, signal);
  if (body === null) throw new RequestFailed(cut);
  let rest = '';
  for await (const piece of body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + piece).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const event: ChatEvent = JSON.parse(line);
      if ('error' in event) throw new RequestFailed(event.error);
      if ('done' in event) return;
      yield event.text;
    }
  }
  throw new RequestFailed(cut);
}

async function request(method: string, path: string, body?: object, signal?: AbortSignal): Promise<Response> {
  const response = await fetch(path, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    ...(signal === undefined ? {} : { signal }),
  }).catch((error: unknown) => {
    throw signal?.aborted === true ? error : new RequestFailed(unreachable);
  });
  if (response.ok) return response;
  const { error }: { error: Failure } = await response.json();
  throw new RequestFailed(error);
}
