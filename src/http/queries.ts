import { Elysia } from 'elysia';
import { KeyPassError } from '../errors.ts';

/** Holds the queries of all routes after it to what bodies are held to: each member once, in UTF-8. */
export function strictQueries() {
  return new Elysia({ name: 'strict-queries' }).onTransform({ as: 'global' }, ({ request }) => {
    checkQuery(request.url);
  });
}

/** By the URL as it came, which is what the router reads: it would take the last of two, and escapes that are none as text. */
function checkQuery(url: string): void {
  const start = url.indexOf('?');
  if (start === -1) return;
  const names = new Set<string>();
  for (const member of url.slice(start + 1).split('&')) {
    if (member === '') continue;
    const [name = '', ...value] = member.split('=');
    const decoded = decode(name);
    if (decoded === undefined || decode(value.join('=')) === undefined) {
      const message = 'The query has text that is not UTF-8 in percent-encoding.';
      throw new KeyPassError('invalid_request', message, paramOf(decoded));
    }
    if (names.has(decoded)) {
      const message = 'The query has the same parameter twice. Send each parameter once.';
      throw new KeyPassError('duplicate_member', message, paramOf(decoded));
    }
    names.add(decoded);
  }
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

/** A parameter is named if it could be one of ours; a token in its place could not. */
function paramOf(name = ''): { param?: string } {
  return /^[A-Za-z]{1,20}$/.test(name) ? { param: name } : {};
}
