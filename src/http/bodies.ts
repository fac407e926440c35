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
    return parseStrictJson(bytes);
  });
}
