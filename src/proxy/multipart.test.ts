import { describe, expect, test } from 'bun:test';
import { wav } from '../../test/harness/recordings.ts';
import { concat, utf8 } from '../crypto/index.ts';
import { KeyPassError } from '../errors.ts';
import { MediaFile } from '../money/media-kind.ts';
import { boundaryOf, formContent, parseForm } from './multipart.ts';

const rules = {
  fields: { model: 'text', n: 'integer', stream: 'boolean', file: 'file', 'image[]': 'file', 'include[]': 'text' },
  maxBytes: 1_000_000,
} as const;
const recording = wav(1);
const fileHead = 'form-data; name="file"; filename="a.wav"';

type Value = string | Uint8Array;

/** A form as a client would write it, each part with any disposition. */
function form(...parts: [disposition: string, value: Value, ...lines: string[]][]): Uint8Array<ArrayBuffer> {
  const written = parts.map(([disposition, value, ...lines]) =>
    concat(
      utf8([`--b`, `Content-Disposition: ${disposition}`, ...lines, '', ''].join('\r\n')),
      typeof value === 'string' ? utf8(value) : value,
      utf8('\r\n'),
    ),
  );
  return concat(...written, utf8('--b--\r\n'));
}

const field = (name: string) => `form-data; name="${name}"`;
const parse = (bytes: Uint8Array<ArrayBuffer>) => parseForm(bytes, 'b', rules);

function refusalOf(bytes: Uint8Array<ArrayBuffer>): string {
  try {
    parse(bytes);
    return 'none';
  } catch (error) {
    if (!(error instanceof KeyPassError)) throw error;
    return error.param === undefined ? error.code : `${error.code} ${error.param}`;
  }
}

test('fields are members with values of their kind, in any order', () => {
  const read = parse(
    form(
      [fileHead, recording, 'Content-Type: text/html'],
      [field('include[]'), 'a'],
      [field('n'), '2'],
      [field('include[]'), 'b'],
      [field('stream'), 'true'],
      [field('model'), 'grüße\r\n--c'],
    ),
  );
  expect(read).toEqual({
    file: new MediaFile({ extension: 'wav', type: 'audio/wav' }, recording),
    'include[]': ['a', 'b'],
    n: 2,
    stream: true,
    model: 'grüße\r\n--c',
  });
});

test('what other clients write is read', async () => {
  const data = new FormData();
  data.append('model', 'whisper-1');
  data.append('file', new File([recording], 'a "quoted" näme\n.wav', { type: 'audio/wav' }));
  const request = new Response(data);
  const boundary = boundaryOf(request.headers.get('content-type')) ?? '';
  const read = parseForm(await request.bytes(), boundary, rules);
  expect(read).toMatchObject({ model: 'whisper-1', file: { bytes: recording } });
  const curl = form(['form-data; name="file"; filename="a\\"b.wav"', recording, 'content-transfer-encoding: binary']);
  expect(refusalOf(curl)).toBe('none');
  expect(refusalOf(form([`form-data; name="file"; filename*=utf-8''n%C3%A4.wav`, recording]))).toBe('none');
});

describe('refused', () => {
  const model = field('model');
  test.each([
    ['a field twice', form([model, 'a'], [model, 'b']), 'duplicate_member model'],
    ['a file twice', form([fileHead, recording], [fileHead, recording]), 'duplicate_member file'],
    ['a field that is not listed', form([field('url'), 'https://x']), 'unsupported_parameter url'],
    ['a name in other letters', form([field('Model'), 'a']), 'unsupported_parameter Model'],
    ['a list where none is', form([field('model[]'), 'a']), 'unsupported_parameter model[]'],
    ['an inherited name', form([field('constructor'), 'a']), 'unsupported_parameter constructor'],
    ['a name with a space', form([field('model '), 'a']), 'invalid_request'],
    ['an escaped name', form([field('mod\\"el'), 'a']), 'invalid_request'],
    ['two names', form([`${model}; name="n"`, 'a']), 'invalid_request'],
    ['two dispositions', form([model, 'a', `content-disposition: ${field('n')}`]), 'invalid_request'],
    ['a folded head', form([model, 'a', ' x: y']), 'invalid_request'],
    ['another encoding', form([model, 'YQ==', 'content-transfer-encoding: base64']), 'invalid_request'],
    ['a text as a file', form(['form-data; name="model"; filename="a"', 'a']), 'invalid_request model'],
    ['a file as a text', form([field('file'), 'RIFF']), 'invalid_request file'],
    ['a file of another kind', form([fileHead, '<html>']), 'invalid_request file'],
    ['a number with a sign', form([field('n'), '+1']), 'invalid_request n'],
    ['a number with a space', form([field('n'), '1 ']), 'invalid_request n'],
    ['a number in other digits', form([field('n'), '１']), 'invalid_request n'],
    ['a number with a point', form([field('n'), '1.0']), 'invalid_request n'],
    ['a truth in other letters', form([field('stream'), 'True']), 'invalid_request stream'],
    ['a text that is no UTF-8', form([model, new Uint8Array([0xff])]), 'invalid_request model'],
    ['a text that is too long', form([model, 'a'.repeat(200_000)]), 'invalid_request model'],
    ['a head that is too long', form([`${model}; x="${'a'.repeat(5_000)}"`, 'a']), 'invalid_request'],
    [
      'too many parts',
      form(...Array.from({ length: 65 }, () => [field('include[]'), 'a'] as [string, string])),
      'invalid_request',
    ],
    ['a name without quotes', form(['form-data; name=model', 'a']), 'invalid_request'],
    ['a name in the extended form', form(["form-data; name*=utf-8''model", 'a']), 'invalid_request'],
    ['a name that is encoded', form([field('mod%65l'), 'a']), 'invalid_request'],
    ['a name in single quotes', form(["form-data; name='model'", 'a']), 'invalid_request'],
    ['a name with a tab', form([field('model\t'), 'a']), 'invalid_request'],
    ['a name with a line break', form([field('model\r\nx: y'), 'a']), 'invalid_request'],
    ['no name', form(['form-data', 'a']), 'invalid_request'],
    ['an empty name', form([field(''), 'a']), 'invalid_request'],
    ['another disposition', form(['attachment; name="model"', 'a']), 'invalid_request'],
    ['a file name before the name', form(['form-data; filename="a"; name="model"', 'a']), 'invalid_request'],
    ['two file names', form(['form-data; name="file"; filename="a"; filename="b"', recording]), 'invalid_request'],
    ['a name that follows a file name', form([`${fileHead}; name="model"`, recording]), 'invalid_request'],
    [
      'a form in a form',
      form([fileHead, form([model, 'a']), 'Content-Type: multipart/mixed; boundary=b']),
      'invalid_request',
    ],
    [
      'a form of another boundary in a form',
      form([fileHead, '--c\r\n\r\na\r\n--c--', 'Content-Type: multipart/mixed; boundary=c']),
      'invalid_request file',
    ],
    [
      'the field that sets another encoding',
      form([field('_charset_'), 'utf-16'], [model, 'a']),
      'unsupported_parameter _charset_',
    ],
    [
      'lines that end in LF alone',
      utf8('--b\nContent-Disposition: form-data; name="model"\n\na\n--b--\n'),
      'invalid_request',
    ],
    [
      'lines that end in CR alone',
      utf8('--b\rContent-Disposition: form-data; name="model"\r\ra\r--b--\r'),
      'invalid_request',
    ],
    [
      'a boundary with spaces after it',
      utf8('--b \r\nContent-Disposition: form-data; name="model"\r\n\r\na\r\n--b--\r\n'),
      'invalid_request',
    ],
    [
      'a second model after the file',
      form([model, 'a'], [fileHead, recording], [model, 'b']),
      'duplicate_member model',
    ],
    ['a second model before it', form([model, 'a'], [model, 'b'], [fileHead, recording]), 'duplicate_member model'],
    ['a model as a list', form([model, 'a'], [field('model[]'), 'b']), 'unsupported_parameter model[]'],
    ['a model within a member', form([model, 'a'], [field('model[name]'), 'b']), 'unsupported_parameter model[name]'],
    ['nothing', new Uint8Array(), 'invalid_request'],
    ['bytes before the first part', concat(utf8('x'), form([model, 'a'])), 'invalid_request'],
    ['a form that breaks off', form([model, 'a']).slice(0, -10), 'invalid_request'],
    ['a boundary that goes on', utf8('--bc\r\n\r\n--b--'), 'invalid_request'],
    ['a part without a head', utf8('--b\r\n--b--\r\n'), 'invalid_request'],
  ])('%s', (_, bytes, reason) => {
    expect(refusalOf(bytes)).toBe(reason);
  });

  test('what is no form', () => {
    const types = [null, 'application/json', 'multipart/form-data', 'multipart/mixed; boundary=b'];
    const odd = ['multipart/form-data; boundary=a; boundary=b', 'multipart/form-data; boundary="a\\"b"'];
    const long = `multipart/form-data; boundary=${'a'.repeat(71)}`;
    for (const type of [...types, ...odd, long]) expect(boundaryOf(type)).toBeUndefined();
    expect(boundaryOf('Multipart/Form-Data;boundary="a:b"')).toBe('a:b');
  });
});

test('what follows the end is no part of the form, and is not sent', async () => {
  const read = parse(concat(form([field('model'), 'a']), form([field('model'), 'b'])));
  expect(read).toEqual({ model: 'a' });
  expect(new TextDecoder().decode(formContent(read).bytes)).not.toMatch(/\r\n\r\nb\r\n/);
});

describe('the form anew', () => {
  const odd = [
    'form-data; name="file"; filename="x\u0000\u202e.exe"',
    'form-data; name="file"; filename="../../../etc/passwd"',
    'form-data; name="file"; filename="C:\\\\a\\\\b.wav"',
    'form-data; name="file"; filename="a\\"\\"; name=\\"model\\""',
    'form-data; name="file"; filename*=utf-8\'\'%0d%0a%0d%0a--b',
  ];
  test.each(odd)('has nothing of a name such as %j', async (disposition) => {
    const bytes = concat(form([disposition, recording]));
    const sent = formContent(parse(bytes));
    expect(sent.type).toMatch(/^multipart\/form-data; boundary=keypass-[\da-f-]{36}$/);
    const read = await new Response(sent.bytes, { headers: { 'content-type': sent.type } }).formData();
    expect([...read.keys()]).toEqual(['file']);
    const file = read.get('file');
    if (!(file instanceof File)) throw new Error('no file');
    expect(file.name).toBe('file.wav');
    expect(await file.bytes()).toEqual(recording);
  });

  test('a name with bytes of any encoding, which are none of text', () => {
    const head = concat(
      utf8('--b\r\ncontent-disposition: form-data; name="file"; filename="'),
      new Uint8Array([0xe9, 0xff]),
    );
    expect(refusalOf(concat(head, utf8('.wav"\r\n\r\n'), recording, utf8('\r\n--b--\r\n')))).toBe('none');
  });

  test('says what was read, value for value', async () => {
    const values = { model: 'a"b\r\n--keypass-', n: 3, stream: false, 'include[]': ['x', 'y'] };
    const sent = formContent(values);
    const read = await new Response(sent.bytes, { headers: { 'content-type': sent.type } }).formData();
    expect([...read]).toEqual([
      ['model', 'a"b\r\n--keypass-'],
      ['n', '3'],
      ['stream', 'false'],
      ['include[]', 'x'],
      ['include[]', 'y'],
    ]);
  });
});
