import { describe, expect, test } from 'bun:test';
import { type Heard, Opener, returnUrl } from './opener.ts';

const app = 'https://app.example';

/** A window with an opener whose messages are recorded, and a way to speak as anybody. */
function stage({ opened = true } = {}) {
  const posted: { message: unknown; target: string }[] = [];
  const opener = { postMessage: (message: unknown, target: string) => posted.push({ message, target }) };
  const listeners: ((event: Heard) => void)[] = [];
  const window = new Opener({
    opener: opened ? opener : null,
    addEventListener: (_, listener) => listeners.push(listener),
  });
  const say = (data: unknown, origin = app, source: unknown = opener): void => {
    for (const listener of listeners) listener({ data, origin, source });
  };
  return { window, posted, say };
}

const nonce = 'n'.repeat(43);
const other = 'm'.repeat(43);
const hello = { type: 'keypass:hello', v: 1, nonce };
const registered = { allowedOrigins: [app, 'https://other.example'], origin: null };

describe('the opener', () => {
  test('is proven by a hello that came before the session was known', async () => {
    const { window, posted, say } = stage();
    say(hello);
    expect(posted).toEqual([]);
    expect(await window.prove(registered)).toBe(app);
    expect(posted).toEqual([{ message: { type: 'keypass:hello-ack', v: 1, nonce }, target: app }]);
  });

  test('gets nothing unless the browser names it, it is registered and it speaks this version', async () => {
    const { window, posted, say } = stage();
    const proof = window.prove({ ...registered, origin: app });
    say(hello, 'https://evil.example');
    say(hello, 'https://other.example'); // registered, but the session names another
    say(hello, 'null');
    say(hello, app, {}); // not the opener
    say({ ...hello, v: 2 });
    say({ ...hello, nonce: 1 });
    say({ ...hello, nonce: 'short' });
    say(null);
    expect(posted).toEqual([]);
    say(hello);
    expect(await proof).toBe(app);
  });

  test('stays the first one that proved itself', async () => {
    const { window, posted, say } = stage();
    say(hello);
    await window.prove(registered);
    say(hello, 'https://other.example');
    say({ ...hello, nonce: other });
    window.event('opened');
    expect(posted.map(({ target }) => target)).toEqual([app, app]);
  });

  test('says when it has the success', async () => {
    const { window, posted, say } = stage();
    say(hello);
    await window.prove(registered);
    const delivered = window.deliver({ type: 'keypass:success', publicToken: 'p', connectionId: 'c' });
    say({ type: 'keypass:received', v: 1, nonce: other });
    say({ type: 'keypass:received', v: 1, nonce }, 'https://other.example');
    say({ type: 'keypass:received', v: 1, nonce });
    expect(await delivered).toBe(true);
    expect(posted.at(-1)).toEqual({
      message: { type: 'keypass:success', publicToken: 'p', connectionId: 'c', v: 1, nonce },
      target: app,
    });
  });

  test('is nobody in a window without one, and nothing is delivered', async () => {
    const { window, posted } = stage({ opened: false });
    expect(await window.prove(registered)).toBeUndefined();
    expect(await window.deliver({ type: 'keypass:exit', error: null })).toBe(false);
    expect(posted).toEqual([]);
  });
});

test('a redirect carries the outcome in its fragment alone', () => {
  const success = { type: 'keypass:success', publicToken: 'kp_pt_x', connectionId: 'c' } as const;
  expect(returnUrl('https://app.example/back?x=1', success, 'a&b')).toBe(
    'https://app.example/back?x=1#keypass_public_token=kp_pt_x&keypass_connection_id=c&keypass_state=a%26b',
  );
  expect(returnUrl('https://app.example/back', { type: 'keypass:exit', error: null }, null)).toBe(
    'https://app.example/back#keypass_error=closed',
  );
});
