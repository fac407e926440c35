import { randomText } from './random.ts';
import type { LinkError, LinkSuccess } from './types.ts';

/** What the Link window can say (PROTOCOL.md). */
export interface ChannelEvents {
  onEvent(name: string): void;
  onSuccess(result: LinkSuccess): void;
  onExit(error?: LinkError): void;
  /** The handle reads as closed. Without an answered hello that proves nothing: a page with COOP loses it at once. */
  onClosed(answered: boolean): void;
}

const beat = 250;

/**
 * Talks to one Link window. Only messages of that very window, from exactly `origin` and with this channel's nonce
 * count; everything else on the page's message bus is ignored. Returns a function that ends it.
 */
export function openChannel(target: Window, origin: string, events: ChannelEvents): () => void {
  const nonce = randomText();
  let answered = false;
  let closedBeats = 0;
  const post = (type: string) => target.postMessage({ type: `keypass:${type}`, v: 1, nonce }, origin);

  const listener = ({ source, origin: sender, data }: MessageEvent<unknown>) => {
    if (source !== target || sender !== origin || !isRecord(data)) return;
    if (data['v'] !== 1 || data['nonce'] !== nonce) return;
    const { type, name, publicToken, connectionId, error } = data;
    if (type === 'keypass:hello-ack' && !answered) {
      answered = true;
    } else if (!answered) {
      return;
    } else if (type === 'keypass:event' && typeof name === 'string') {
      events.onEvent(name);
    } else if (type === 'keypass:success' && typeof connectionId === 'string' && isToken(publicToken)) {
      post('received');
      events.onSuccess({ publicToken, connectionId });
    } else if (type === 'keypass:exit') {
      events.onExit(errorOf(error));
    }
  };

  const timer = setInterval(() => {
    // A message that was sent just before closing may still be on its way: one more beat for it.
    if (target.closed && ++closedBeats === 2) {
      clearInterval(timer);
      events.onClosed(answered);
    } else if (!answered && !target.closed) post('hello');
  }, beat);
  addEventListener('message', listener);
  return () => {
    clearInterval(timer);
    removeEventListener('message', listener);
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isToken(value: unknown): value is string | null {
  return value === null || typeof value === 'string';
}

function errorOf(value: unknown): LinkError | undefined {
  if (!isRecord(value) || typeof value['code'] !== 'string') return undefined;
  const { code, message } = value;
  return { code, message: typeof message === 'string' ? message : code };
}
