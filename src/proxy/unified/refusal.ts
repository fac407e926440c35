import { KeyPassError } from '../../errors.ts';

/** What an API cannot be told is refused by its name, never left out: the answer would be one to another question. */
export function unsupported(param: string, why: string): KeyPassError {
  return new KeyPassError('unsupported_parameter', why, { param: param.slice(0, 100) });
}

/** A member that is not what OpenAI's API defines; `rule` says what it must be. */
export function malformed(param: string, rule: string): KeyPassError {
  return new KeyPassError('invalid_request', `${param} must be ${rule}.`, { param });
}
