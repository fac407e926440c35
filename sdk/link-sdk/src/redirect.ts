import { randomText } from './random.ts';
import type { LinkCallbacks } from './types.ts';

const stateKey = 'keypass:state';

/**
 * A new state, kept in this tab (and copied into a window that it then opens), so that a result at the redirect URI can
 * be told from a forged one.
 */
export function newState(): string {
  const state = randomText();
  try {
    sessionStorage.setItem(stateKey, state);
  } catch {
    // Storage is off: the window form works without, and a redirect will end in `state_mismatch`.
  }
  return state;
}

/** The Link page with its token in the fragment, which no server, log or referrer sees. */
export function linkUrl(origin: string, token: string, state: string): string {
  return `${origin}/link#token=${encodeURIComponent(token)}&state=${state}`;
}

/**
 * On the page of the redirect URI: reads the result from the fragment, removes it from the address and the history,
 * checks the state and fires one callback. Returns false if this page load brings no result.
 */
export function resume({ onSuccess, onExit }: LinkCallbacks): boolean {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const state = fragment.get('keypass_state');
  if (state === null) return false;
  history.replaceState(history.state, '', location.pathname + location.search);
  const expected = takeState();
  const code = fragment.get('keypass_error');
  const connectionId = fragment.get('keypass_connection_id');
  if (state !== expected) {
    onExit?.({ code: 'state_mismatch', message: 'This result does not belong to a link that this tab started' });
  } else if (code === null && connectionId !== null) {
    onSuccess({ publicToken: fragment.get('keypass_public_token'), connectionId });
  } else if (code === 'closed') {
    onExit?.();
  } else {
    onExit?.({ code: code ?? 'unexpected_answer', message: `The link ended: ${code ?? 'no result'}` });
  }
  return true;
}

/** A state counts once. */
function takeState(): string | null {
  try {
    const state = sessionStorage.getItem(stateKey);
    sessionStorage.removeItem(stateKey);
    return state;
  } catch {
    return null;
  }
}
