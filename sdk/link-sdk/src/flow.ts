import { linkUrl, newState } from './redirect.ts';
import type { LinkError, LinkOptions, LinkSuccess } from './types.ts';

/** How a link ended: with a success, with an error, or with neither when the person left. */
export interface Outcome {
  success?: LinkSuccess;
  error?: LinkError;
}

/** One link that is under way. */
export interface Flow {
  focus(): void;
  /** Closes the window; without an outcome nothing is reported. */
  stop(outcome?: Outcome): void;
}

/** Called once, when a flow has ended; without an outcome there is nothing to report. */
export type OnEnd = (outcome?: Outcome) => void;

export const tokenUnavailable: LinkError = { code: 'token_unavailable', message: 'The app gave no link token' };

export async function fetchToken({ token }: LinkOptions): Promise<string> {
  const value: unknown = typeof token === 'string' ? token : await token();
  if (typeof value === 'string' && value !== '') return value;
  throw new TypeError(tokenUnavailable.message);
}

/** The redirect form: this page goes to KeyPass, and `resume` reports the outcome on the page of the redirect URI. */
export function startRedirect(origin: string, options: LinkOptions, onEnd: OnEnd): Flow {
  let ended = false;
  const stop = (outcome?: Outcome) => {
    if (ended) return;
    ended = true;
    onEnd(outcome);
  };
  const leave = async () => {
    const token = await fetchToken(options);
    if (ended) return;
    location.assign(linkUrl(origin, token, newState()));
    // Back from KeyPass this page may be shown as it was: its button must work again.
    stop();
  };
  leave().catch(() => stop({ error: tokenUnavailable }));
  return { focus() {}, stop };
}
