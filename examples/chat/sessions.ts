/** One browser that uses this app. */
export interface Session {
  /** The cookie's value. */
  id: string;
  /** This app's own id of its user: an exchange must repeat the one of the link session. */
  userId: string;
  accessToken?: string;
}

/**
 * In memory, so that the example stays small: a restart forgets everybody. A real app keeps the access token with its
 * user in the database, encrypted with a key that the database does not have.
 */
const sessions = new Map<string, Session>();

const cookieName = 'wren_session';

/** The session of a request; a fresh one, which is not kept yet, for a browser that has none. */
export function sessionOf(request: Request): Session {
  const id = new Bun.CookieMap(request.headers.get('cookie') ?? '').get(cookieName) ?? '';
  return sessions.get(id) ?? { id: newId(), userId: crypto.randomUUID() };
}

/** Keeps a session and gives the cookie for it: no script can read it, no other site's page sends it along. */
export function keepSession(session: Session, origin: string): string {
  sessions.set(session.id, session);
  const secure = origin.startsWith('https:');
  const cookie = new Bun.Cookie(cookieName, session.id, { httpOnly: true, sameSite: 'strict', path: '/', secure });
  return cookie.serialize();
}

function newId(): string {
  return crypto.getRandomValues(new Uint8Array(32)).toBase64({ alphabet: 'base64url', omitPadding: true });
}
