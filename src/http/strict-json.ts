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

/** Walks a text that is known to be valid JSON; a string is a member's name when a colon follows it. */
function refuseDuplicates(text: string): void {
  const open: Set<string>[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '{') open.push(new Set());
    else if (character === '[') open.push(arrayMarker);
    else if (character === '}' || character === ']') open.pop();
    else if (character === '"') {
      const end = endOfString(text, at);
      if (isName(text, end)) addName(open.at(-1), text.slice(at, end + 1));
      at = end;
    }
    if (open.length > deepest) throw tooDeep();
  }
}

/** No request of any provider comes near this; what walks a value recursively must not run out of stack. */
const deepest = 256;

function tooDeep(): KeyPassError {
  return new KeyPassError('invalid_json', `The body is nested more than ${deepest} levels deep.`);
}

const arrayMarker: Set<string> = new Set();

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

function addName(names: Set<string> | undefined, quoted: string): void {
  const name = quoted.includes('\\') ? String(JSON.parse(quoted)) : quoted.slice(1, -1);
  if (names === undefined || !names.has(name)) {
    names?.add(name);
    return;
  }
  const message = 'An object of the body has the same member twice. Send each member once.';
  throw new KeyPassError('duplicate_member', message, /^[\w.-]{1,64}$/.test(name) ? { param: name } : {});
}
