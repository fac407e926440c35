import type { Case, Family } from './case.ts';
import { bearer, host, refused, request } from './requests.ts';

/** Every member of an upload form is known, and each is there once. */
const boundary = 'Content-Type: multipart/form-data; boundary=x';
const transcription = '/v1/proxy/passthrough/openai/v1/audio/transcriptions';

function part(disposition: string, value: string, ...more: readonly string[]): string {
  return ['--x', `Content-Disposition: form-data; ${disposition}`, ...more, '', value, ''].join('\r\n');
}

const model = part('name="model"', 'whisper-1');
const file = part('name="file"; filename="a.wav"', 'RIFF', 'Content-Type: audio/wav');
const end = '--x--\r\n';

function form(text: string, type = boundary): string {
  return request(`POST ${transcription} HTTP/1.1`, [host, bearer, type, 'Content-Length: $LENGTH'], text);
}

const cases: readonly Case[] = [
  ...[
    ['two models', model + part('name="model"', 'gpt-4o-transcribe') + file + end, '400 duplicate_member'],
    ['two files', model + file + file + end, '400 invalid_request'],
    ['a member of nobody', model + file + part('name="x"', '$MARK') + end, '400 invalid_request'],
    ['a model that is a file', part('name="model"; filename="a"', 'whisper-1') + file + end, '400 invalid_request'],
    ['a file that is none', model + part('name="file"', 'RIFF') + end, '400 invalid_request'],
    ['no model', file + end, '400 invalid_request'],
    ['nothing', end, '400 invalid_request'],
    ['no end', model + file, '400 invalid_request'],
    ['text before', `$MARK\r\n${model}${file}${end}`, '400 invalid_request'],
    ['text behind', `${model}${file}${end}$MARK`, '400 invalid_request'],
    ['a name in other quotes', part("name='model'", 'whisper-1') + file + end, '400 invalid_request'],
    ['a name without quotes', part('name=model', 'whisper-1') + file + end, '400 invalid_request'],
    ['two names', part('name="file"; name="model"', 'whisper-1') + file + end, '400 invalid_request'],
    ['a name in another charset', part("name*=utf-8''model", 'whisper-1') + file + end, '400 invalid_request'],
    ['a name that is escaped', part('name="mod\\el"', 'whisper-1') + file + end, '400 invalid_request'],
    ['a name with a percent', part('name="mod%65l"', 'whisper-1') + file + end, '400 invalid_request'],
    ['a name with a zero', part('name="model\x00"', 'whisper-1') + file + end, '400 invalid_request'],
    ['a name in capitals', part('name="MODEL"', 'whisper-1') + file + end, '400 unsupported_parameter'],
    ['a list of models', part('name="model[]"', 'whisper-1') + file + end, '400 unsupported_parameter'],
    ['no disposition', `--x\r\n\r\nwhisper-1\r\n${file}${end}`, '400 invalid_request'],
    [
      'two dispositions',
      part('name="model"', 'whisper-1', 'Content-Disposition: form-data; name="x"') + file + end,
      '400 invalid_request',
    ],
    [
      'a part that is encoded',
      part('name="model"', 'd2hpc3Blci0x', 'Content-Transfer-Encoding: base64') + file + end,
      '400 invalid_request',
    ],
    ['a folded line', part('name="model";\r\n filename="a"', 'whisper-1') + file + end, '400 invalid_request'],
    ['line feeds alone', (model + file + end).replaceAll('\r\n', '\n'), '400 invalid_request'],
    [
      'a form in a form',
      part('name="model"', 'whisper-1', 'Content-Type: multipart/mixed; boundary=y') + file + end,
      '400 invalid_request',
    ],
    [
      'a model of another charset',
      part('name="model"', 'whisper-1', 'Content-Type: text/plain; charset=utf-7') + file + end,
      '400 invalid_request',
    ],
    [
      'a path as the name of a file',
      model + part('name="file"; filename="../../a.wav"', 'RIFF') + end,
      '400 invalid_request',
    ],
  ].map(([name = '', text = '', answer = '']) => refused(`form: ${name}`, form(text), answer)),
  ...[
    'Content-Type: multipart/form-data',
    'Content-Type: multipart/form-data; boundary=',
    'Content-Type: multipart/form-data; boundary=x; boundary=y',
    'Content-Type: multipart/mixed; boundary=x',
    'Content-Type: multipart/form-data; boundary="x\r\n\ty"',
    `Content-Type: multipart/form-data; boundary=${'x'.repeat(200)}`,
    'Content-Type: application/json',
  ].map((type) =>
    refused(
      `form: ${JSON.stringify(type).slice(0, 80)}`,
      form(model + file + end, type),
      type.includes('\r\n') ? '400' : '415 unsupported_media_type',
    ),
  ),
];

export const forms: Family = { name: 'forms', cases };
