import { Elysia } from 'elysia';
import { KeyPassError } from '../errors.ts';
import { readBody } from './body.ts';
import { parseStrictJson } from './strict-json.ts';

/** No request of the owner's and developer's API comes near this; a manifest is the largest part of one. */
const mostBytes = 4 * 1024 * 1024;

/** Reads the JSON bodies of all routes after it; nothing else is taken for one. */
export function strictBodies() {
  return new Elysia({ name: 'strict-bodies' }).onParse({ as: 'global' }, async ({ request, contentType }) => {
    const bytes = await readBody(request, mostBytes);
    if (bytes.length === 0) return undefined;
    if (contentType !== 'application/json') {
      throw new KeyPassError('unsupported_media_type', 'Send the body as application/json.', { param: 'content-type' });
    }
    const body = parseStrictJson(bytes);
    if (!isStorable(body)) {
      throw new KeyPassError('invalid_request', 'The body has text with U+0000 or with half a surrogate pair.');
    }
    return body;
  });
}

/** Whether all text can be kept as it came: PostgreSQL refuses U+0000, and UTF-8 has no bytes for half a surrogate pair. */
function isStorable(body: unknown): boolean {
  const values = [body];
  for (const value of values) {
    if (typeof value === 'string' && (value.includes('\0') || !value.isWellFormed())) return false;
    if (typeof value === 'object' && value !== null) for (const member of Object.values(value)) values.push(member);
  }
  return true;
}
