import { isPlainObject } from '../../src/crypto/index.ts';
import type { Plan } from './plans.ts';

/** How one attempt at a call ended, as its client saw it. Times are of `performance.now()`. */
export interface Outcome {
  /**
   * `answered`: the provider's own answer, whole. `refused`: a failure that KeyPass names. `left`: the client went.
   * `failed`: the connection broke, or was never made.
   */
  readonly kind: 'answered' | 'refused' | 'left' | 'failed';
  /** 0 where no answer began. */
  readonly status: number;
  /** KeyPass's error code, or what the client's own library said. */
  readonly code: string;
  readonly callId: string | null;
  readonly retryAfter: number | null;
  /** Of a refusal. */
  readonly details: Readonly<Record<string, unknown>>;
  readonly startedAt: number;
  readonly endedAt: number;
}

const path = '/v1/proxy/passthrough/openai/v1/chat/completions';

/** Makes one attempt at a planned call through an instance. Never throws. */
export async function attempt(url: string, token: string, plan: Plan): Promise<Outcome> {
  const startedAt = performance.now();
  const leaving = new AbortController();
  const headers = { ...plan.headers, authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const seen = { status: 0, callId: null as string | null };
  const ended = (kind: Outcome['kind'], code = '', refusal: Partial<Outcome> = {}): Outcome => {
    return { kind, code, retryAfter: null, details: {}, ...seen, ...refusal, startedAt, endedAt: performance.now() };
  };
  const { leaves } = plan;
  const leave = () => leaving.abort();
  const timer = leaves?.after === 'asking' ? setTimeout(leave, leaves.ms) : undefined;
  try {
    // A kept connection whose server died would be tried again by `fetch` itself, and a call must be made once.
    const init = { method: 'POST', headers, body: plan.body, signal: leaving.signal, keepalive: false };
    const response = await fetch(url + path, init);
    seen.status = response.status;
    seen.callId = response.headers.get('x-request-id');
    const code = response.headers.get('x-keypass-error');
    if (code !== null) return ended('refused', code, await refusalOf(response));
    if (leaves?.after === 'first bytes') return await leaveEarly(response, leaves.ms, leave, ended);
    const text = await response.text();
    const isWhole = response.status !== 200 || !plan.isStream || text.endsWith('data: [DONE]\n\n');
    return isWhole ? ended('answered') : ended('failed', 'truncated');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return leaving.signal.aborted ? ended('left') : ended('failed', code);
  } finally {
    clearTimeout(timer);
  }
}

async function leaveEarly(
  response: Response,
  ms: number,
  leave: () => void,
  ended: (kind: Outcome['kind']) => Outcome,
): Promise<Outcome> {
  const reader = response.body?.getReader();
  await reader?.read();
  await Bun.sleep(ms);
  leave();
  return ended('left');
}

async function refusalOf(response: Response): Promise<Partial<Outcome>> {
  const retryAfter = response.headers.get('retry-after');
  const body: unknown = await response.json();
  const error = isPlainObject(body) && isPlainObject(body['error']) ? body['error'] : {};
  const details = isPlainObject(error['details']) ? error['details'] : {};
  return { retryAfter: retryAfter === null ? null : Number(retryAfter), details };
}
