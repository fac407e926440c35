/** The link token on its way in: out of the address at once, kept for a reload of this window, gone with its end. */

const storageKey = 'keypass:link';

export interface Entry {
  token: string;
  /** What the app gets back unchanged in the redirect form. */
  state: string | null;
}

/** Takes `#token=kp_lt_…&state=…` out of the address; undefined when there is none. */
export function takeEntry(): Entry | undefined {
  const fields = new URLSearchParams(location.hash.slice(1));
  const token = fields.get('token');
  if (token === null) return kept();
  history.replaceState(null, '', location.pathname);
  const entry = { token, state: fields.get('state') };
  sessionStorage.setItem(storageKey, JSON.stringify(entry));
  return entry;
}

export function forgetEntry(): void {
  sessionStorage.removeItem(storageKey);
}

function kept(): Entry | undefined {
  const value: unknown = JSON.parse(sessionStorage.getItem(storageKey) ?? 'null');
  if (typeof value !== 'object' || value === null || !('token' in value) || typeof value.token !== 'string') {
    return undefined;
  }
  return { token: value.token, state: 'state' in value && typeof value.state === 'string' ? value.state : null };
}
