import { KeyPassError } from '../../errors.ts';
import { isAbsent, type JsonObject } from '../../money/json.ts';

/** What an API cannot be told is refused by its name, never left out: the answer would be one to another question. */
export function unsupported(param: string, why: string): KeyPassError {
  const place = param.slice(0, 100);
  // In the words, too: a log or a dialog often shows nothing else. What stands there comes from the request.
  const shown = place.replace(/[^\w.[\]-]/g, '?');
  return new KeyPassError('unsupported_parameter', `\`${shown}\`: ${why}`, { param: place });
}

/** A member that is not what OpenAI's API defines; `rule` says what it must be. */
export function malformed(param: string, rule: string): KeyPassError {
  return new KeyPassError('invalid_request', `${param} must be ${rule}.`, { param });
}

/**
 * Refuses the members that were not read. A client sends an answer back as it got it, with members that are null or
 * empty: those say nothing.
 */
export function refuseOthers(others: JsonObject, place: string): void {
  for (const [name, value] of Object.entries(others)) {
    if (isAbsent(value) || value === '' || (Array.isArray(value) && value.length === 0)) continue;
    throw unsupported(`${place}.${name}`, 'This member cannot be said to this provider. Leave it out.');
  }
}
