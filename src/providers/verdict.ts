/** Of answers alone, and of the kernel: the owner's client judges by it too. */
import { isPlainObject } from '../crypto/index.ts';

/**
 * What an answer says of the key that it was asked with. `rejected`: not taken, or out of credit, which some providers
 * tell alike. `restricted`: taken, but not for what was asked, or not from there. `unknown`: nothing of the key.
 */
export type KeyVerdict = 'works' | 'rejected' | 'restricted' | 'unknown';

/** A status with what the provider says beside it, parsed; anything where that is no JSON. */
interface Told {
  readonly status: number;
  readonly body: unknown;
}

/** The statuses of one provider that say something else than they usually do. */
export type KeyStatuses = Readonly<Record<number, KeyVerdict>>;

/** 402: the account has no credit. 403 is about the call at most providers: a model, a region, an endpoint. */
const usual: KeyStatuses = { 401: 'rejected', 402: 'rejected', 403: 'restricted' };

/** Whether an answer has to be read to know what it says of the key: some hide a refused one behind 400. */
export function speaksOfKey(status: number, documented: KeyStatuses = {}): boolean {
  return status === 401 || status === 403 || documented[status] !== undefined;
}

/** What an answer to any call says of its key: `documented` is what its provider's own statuses mean. */
export function verdictOf({ status, body }: Told, documented: KeyStatuses = {}): KeyVerdict {
  if (status >= 200 && status < 300) return 'works';
  const told = documented[status] ?? usual[status];
  if (told === undefined) return 'unknown';
  const { message, reasons } = failureIn(body);
  if (reasons.some((reason) => deadReasons.has(reason)) || deadKey.test(message)) return 'rejected';
  if (ofBrowsers.test(message)) return 'unknown';
  return reasons.some((reason) => reason.startsWith('API_KEY_')) || lesserKey.test(message) ? 'restricted' : told;
}

/** The same for the call that a key is checked with: some providers answer it with 200 and say no inside. */
export function checkVerdictOf(told: Told, documented: KeyStatuses = {}): KeyVerdict {
  const verdict = verdictOf(told, documented);
  return verdict === 'works' && denies(told.body) ? 'rejected' : verdict;
}

/**
 * Cohere: `valid`. DeepSeek: `is_available`, whether the balance is enough for calls. xAI: whether the key or its team is
 * blocked.
 */
function denies(body: unknown): boolean {
  if (!isPlainObject(body)) return false;
  const isBlocked = ['api_key_blocked', 'api_key_disabled', 'team_blocked'].some((name) => body[name] === true);
  return isBlocked || body['valid'] === false || body['is_available'] === false;
}

/** https://cloud.google.com/apis/design/errors#error_info, google.api.ErrorReason */
const deadReasons: ReadonlySet<string> = new Set(['API_KEY_INVALID', 'CONSUMER_SUSPENDED', 'CONSUMER_INVALID']);

/** Google has no reason for a leaked key, and xAI tells an incorrect one by 400 and these words. */
const deadKey = /^(?:incorrect|invalid) api key|api key was reported as leaked/i;

/** OpenAI answers with 401 for what a restricted key may not do, and for an address that is not on a project's list. */
const lesserKey = /missing scopes|\bIP\b.{0,40}not authorized|not authorized.{0,40}\bIP\b/i;

/** Anthropic's 401 for an organisation that does not let browsers ask: the key may well be good. */
const ofBrowsers = /^CORS requests/i;

/** Most say `{ error: { message, details } }`, some `{ error: "…" }`, and Google's lists hold one of these. */
function failureIn(body: unknown): { message: string; reasons: string[] } {
  const holder: unknown = Array.isArray(body) ? body[0] : body;
  if (!isPlainObject(holder)) return { message: '', reasons: [] };
  const error = isPlainObject(holder['error']) ? holder['error'] : holder;
  const message = [holder['error'], error['message']].find((text) => typeof text === 'string') ?? '';
  const details: unknown[] = Array.isArray(error['details']) ? error['details'] : [];
  const reasons = details.map((detail) => (isPlainObject(detail) ? detail['reason'] : undefined));
  return { message, reasons: reasons.filter((reason) => typeof reason === 'string') };
}
