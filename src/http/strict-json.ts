import { KeyPassError } from '../errors.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * JSON (RFC 8259) in which no object has a member twice. Two readers that take different ones of two `model` members
 * are how a policy is walked around, so nothing ambiguous gets further than here.
 */
export function parseStrictJson(bytes: Uint8Array): unknown {
  let text: string;
  let value: unknown;
  try {
    text = decoder.decode(bytes);
    value = JSON.parse(text);
  } catch {
    throw new KeyPassError('invalid_json', 'The body is not valid JSON. Send UTF-8 JSON.');
  }
  refuseDuplicates(text);
  return value;
}

/** No request of any provider comes near this; what walks a value recursively must not run out of stack. */
const deepest = 256;

/** The names of one object's members: as long as they are few, a list finds them faster than a set. */
type Names = string[] | Set<string>;

const few = 16;

/** Stands for an array, which has no names. */
const nameless: Names = [];

/** Walks a text that is known to be valid JSON; a string is a member's name when a colon follows it. */
function refuseDuplicates(text: string): void {
  const open: Names[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '"') {
      const end = endOfString(text, at);
      if (isName(text, end)) addName(open, text.slice(at + 1, end));
      at = end;
    } else if (character === '{' || character === '[') {
      open.push(character === '{' ? [] : nameless);
      if (open.length > deepest) throw tooDeep();
    } else if (character === '}' || character === ']') open.pop();
  }
}

function tooDeep(): KeyPassError {
  return new KeyPassError('invalid_json', `The body is nested more than ${deepest} levels deep.`);
}

function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end;
}

function isEscaped(text: string, quote: number): boolean {
  let backslashes = 0;
  while (text[quote - 1 - backslashes] === '\\') backslashes += 1;
  return backslashes % 2 === 1;
}

function isName(text: string, end: number): boolean {
  let at = end + 1;
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at += 1;
  return text[at] === ':';
}

/** Adds a name, as it is written, to the innermost of the open objects. */
function addName(open: Names[], written: string): void {
  const name = written.includes('\\') ? String(JSON.parse(`"${written}"`)) : written;
  const names = open.at(-1) ?? nameless;
  if (names instanceof Set ? names.has(name) : names.includes(name)) throw twice(name);
  if (names instanceof Set) names.add(name);
  else if (names.push(name) > few) open[open.length - 1] = new Set(names);
}

function twice(name: string): KeyPassError {
  const message = 'An object of the body has the same member twice. Send each member once.';
  return new KeyPassError('duplicate_member', message, /^[\w.-]{1,64}$/.test(name) ? { param: name } : {});
}
