import { concat, utf8 } from '../crypto/index.ts';
import { KeyPassError } from '../errors.ts';
import { MediaFile, mediaKind } from '../money/media-kind.ts';
import type { JsonObject } from '../money/json.ts';
import type { FieldKind, FormRules } from '../providers/index.ts';

/** One part as it came: its name, whether it said that it is a file, and its bytes, which are not copied. */
interface Part {
  readonly name: string;
  readonly isFile: boolean;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** More than any request of these APIs has. */
const mostParts = 64;
const longestHead = 4_096;
/** UTF-8 bytes of a text: the longest prompt that is documented has 32,000 characters. */
const longestText = 128 * 1024;

/** What RFC 2046 allows for a boundary, without the space. */
const formType = /^multipart\/form-data\s*;\s*boundary=(?:"([\w'()+,./:=?-]{1,70})"|([\w'+.-]{1,70}))\s*$/i;

export function boundaryOf(contentType: string | null): string | undefined {
  const match = formType.exec(contentType ?? '');
  return match?.[1] ?? match?.[2];
}

/**
 * The fields of a form (RFC 7578) that an endpoint lists, each once unless its name says that it is a list, as members
 * with values of their kind. Throws `invalid_request` for what is malformed, `duplicate_member`,
 * `unsupported_parameter` for a field that is not listed.
 */
export function parseForm(bytes: Uint8Array<ArrayBuffer>, boundary: string, rules: FormRules): JsonObject {
  const members = new Map<string, unknown>();
  for (const { name, isFile, bytes: value } of partsOf(bytes, boundary)) {
    const kind = Object.hasOwn(rules.fields, name) ? rules.fields[name] : undefined;
    if (kind === undefined) throw notListed(name);
    if ((kind === 'file') !== isFile) throw malformed('A file and a text are not the same.', name);
    const read = kind === 'file' ? fileOf(value, name) : valueOf(kind, textOf(value, name), name);
    const earlier = members.get(name);
    if (!name.endsWith('[]') && members.has(name)) throw duplicate(name);
    members.set(name, name.endsWith('[]') ? [...(Array.isArray(earlier) ? earlier : []), read] : read);
  }
  return Object.fromEntries(members);
}

/** The form anew: the checked values under the listed names, each file under a name and type of KeyPass's own. */
export function formContent(form: JsonObject): { type: string; bytes: Uint8Array<ArrayBuffer> } {
  const boundary = `keypass-${crypto.randomUUID()}`;
  const parts = Object.entries(form).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).flatMap((item: unknown) => partOf(boundary, name, item)),
  );
  return { type: `multipart/form-data; boundary=${boundary}`, bytes: concat(...parts, utf8(`--${boundary}--\r\n`)) };
}

function partOf(boundary: string, name: string, value: unknown): Uint8Array[] {
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="${name}"`;
  if (!(value instanceof MediaFile)) return [utf8(`${head}\r\n\r\n${String(value)}\r\n`)];
  const { extension, type } = value.kind;
  return [utf8(`${head}; filename="file.${extension}"\r\nContent-Type: ${type}\r\n\r\n`), value.bytes, utf8('\r\n')];
}

/** One after the other, nothing before the first boundary; what follows the last one is no part of the form. */
function partsOf(bytes: Uint8Array<ArrayBuffer>, boundary: string): Part[] {
  const first = utf8(`--${boundary}`);
  const next = utf8(`\r\n--${boundary}`);
  if (find(bytes, first, 0) !== 0) throw malformed('The form does not begin with its boundary.');
  const parts: Part[] = [];
  for (let at = first.length; !hasAt(bytes, dashes, at);) {
    if (!hasAt(bytes, lineEnd, at) || parts.length === mostParts) throw malformed('The form is malformed or too long.');
    const start = at + lineEnd.length;
    const end = find(bytes, next, at);
    if (end < 0) throw malformed('The form breaks off.');
    parts.push(partIn(bytes.subarray(start, Math.max(start, end))));
    at = end + next.length;
  }
  return parts;
}

const lineEnd = utf8('\r\n');
const blankLine = utf8('\r\n\r\n');
const dashes = utf8('--');

function partIn(bytes: Uint8Array<ArrayBuffer>): Part {
  const end = find(bytes.subarray(0, longestHead), blankLine, 0);
  if (end < 0) throw malformed('A part of the form has no head, or one that is too long.');
  // A file's name may have bytes of any encoding: it is not kept.
  const lines = new TextDecoder().decode(bytes.subarray(0, end)).split('\r\n');
  const dispositions = lines.filter((line) => /^content-disposition:/i.test(line));
  const [, name, filename] = disposition.exec(dispositions.length === 1 ? (dispositions[0] ?? '') : '') ?? [];
  // Written in base64 or quoted-printable, what was checked would not be what is meant.
  const isPlain = lines.every((line) => plainHeader.test(line));
  if (name === undefined || !isPlain) throw malformed('A part of the form has a head that is not understood.');
  return { name, isFile: filename !== undefined, bytes: bytes.subarray(end + blankLine.length) };
}

const plainHeader = /^content-(?:disposition:|type:|length:|transfer-encoding: *(?:binary|7bit|8bit) *$)/i;

/** The file's name is read over: what is in it goes no further. */
const disposition =
  /^content-disposition: *form-data; *name="([\w[\]-]{1,64})"(; *filename(?:="(?:[^"\\]|\\.)*"(?:; *filename\*=[^"; ]+)?|\*=[^"; ]+))?$/i;

function fileOf(bytes: Uint8Array<ArrayBuffer>, name: string): MediaFile {
  const kind = mediaKind(bytes);
  if (kind !== undefined) return new MediaFile(kind, bytes);
  throw malformed('The file is of a kind that is not passed on: its first bytes tell.', name);
}

function valueOf(kind: Exclude<FieldKind, 'file'>, text: string, name: string): string | number | boolean {
  if (kind === 'text') return text;
  if (kind === 'integer' && /^(?:0|[1-9]\d{0,8})$/.test(text)) return Number(text);
  if (kind === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  throw malformed(kind === 'integer' ? 'It must be a whole number.' : 'It must be true or false.', name);
}

function textOf(bytes: Uint8Array, name: string): string {
  if (bytes.length > longestText) throw malformed('The text is too long.', name);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw malformed('What is no file must be UTF-8.', name);
  }
}

/** Where `text` stands from `from` on, or -1. */
function find(bytes: Uint8Array, text: Uint8Array, from: number): number {
  for (let at = from; at + text.length <= bytes.length; at += 1) if (hasAt(bytes, text, at)) return at;
  return -1;
}

function hasAt(bytes: Uint8Array, text: Uint8Array, at: number): boolean {
  for (let index = 0; index < text.length; index += 1) if (bytes[at + index] !== text[index]) return false;
  return true;
}

function malformed(message: string, param?: string): KeyPassError {
  return new KeyPassError('invalid_request', message, param === undefined ? {} : { param });
}

function duplicate(param: string): KeyPassError {
  return new KeyPassError('duplicate_member', 'The form has the same field twice. Send each field once.', { param });
}

/** The name is of letters, digits and brackets: it was read as such. */
function notListed(param: string): KeyPassError {
  return new KeyPassError('unsupported_parameter', 'The form has a field that KeyPass does not pass on here.', {
    param,
  });
}
