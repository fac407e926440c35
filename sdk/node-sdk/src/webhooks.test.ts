import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'bun:test';
import { KeyPassError, WebhookError, webhooks, type WebhookEvent } from './index.ts';

const secret = `kp_wh_${'s'.repeat(49)}`;
const other = `kp_wh_${'o'.repeat(49)}`;
const now = new Date('2026-11-23T09:30:00.000Z');
const t = now.getTime() / 1000;
const event = {
  id: '7d9f4c1e-3b52-4f0a-9c5d-2a8e61b04f37',
  type: 'connection.revoked',
  createdAt: '2026-11-23T09:29:58.000Z',
  data: { connectionId: '1b6e0c9a-58d4-4a77-8f3e-c4d2905e6b18', by: 'owner' },
};
const payload = JSON.stringify(event);

const at = (seconds: number) => new Date(now.getTime() + seconds * 1000);

/** Computed apart from the SDK. */
const v1 = (key: string, body = payload, time = t) => createHmac('sha256', key).update(`${time}.${body}`).digest('hex');

async function codeOf(options: Partial<Parameters<typeof webhooks.verify>[0]>): Promise<string> {
  try {
    await webhooks.verify({ payload, header: `t=${t},v1=${v1(secret)}`, secret, now, ...options });
    return 'verified';
  } catch (error) {
    if (error instanceof WebhookError && error instanceof KeyPassError) return error.code;
    throw error;
  }
}

describe('verify', () => {
  test('gives the event, from text and from bytes', async () => {
    const header = `t=${t},v1=${v1(secret)}`;
    const bytes = new TextEncoder().encode(payload);
    for (const body of [payload, bytes, bytes.buffer, Buffer.from(payload)]) {
      const verified: WebhookEvent = await webhooks.verify({ payload: body, header, secret, now });
      expect<object>(verified).toEqual(event);
      if (verified.type === 'connection.revoked') expect(verified.data.by).toBe('owner');
    }
  });

  test('a body beyond ASCII', async () => {
    const body = JSON.stringify({ ...event, data: { connectionId: 'é✓😀' } });
    expect(await codeOf({ payload: body, header: `t=${t},v1=${v1(secret, body)}` })).toBe('verified');
  });

  test('while a secret is replaced: any signature under any of the secrets', async () => {
    const both = `t=${t},v1=${v1(other)},v1=${v1(secret)}`;
    expect(await codeOf({ header: both })).toBe('verified');
    expect(await codeOf({ header: both, secret: other })).toBe('verified');
    expect(await codeOf({ secret: [other, secret] })).toBe('verified');
    expect(await codeOf({ secret: [other] })).toBe('signature_wrong');
  });

  test('what a newer server adds is passed over', async () => {
    expect(await codeOf({ header: `t=${t}, v1=${v1(secret)}, v2=abc, x` })).toBe('verified');
    expect(await codeOf({ header: [`t=${t},v1=${v1(secret)}`] })).toBe('verified');
  });

  test.each<[string, Partial<Parameters<typeof webhooks.verify>[0]>]>([
    ['another secret', { secret: other }],
    ['another body', { payload: `${payload} ` }],
    ['another time', { header: `t=${t + 1},v1=${v1(secret)}` }],
    [
      'a signature with one digit changed',
      { header: `t=${t},v1=${v1(secret).replace(/^./, (d) => (d === '0' ? '1' : '0'))}` },
    ],
    [
      'a signature of the body alone',
      { header: `t=${t},v1=${createHmac('sha256', secret).update(payload).digest('hex')}` },
    ],
  ])('refuses %s', async (_name, options) => {
    expect(await codeOf(options)).toBe('signature_wrong');
  });

  test.each([
    undefined,
    null,
    '',
    'v1=',
    `t=${t}`,
    `v1=${v1(secret)}`,
    `t=,v1=${v1(secret)}`,
    `t=-1,v1=${v1(secret)}`,
    `t=1e9,v1=${v1(secret)}`,
    `t=${t},t=${t},v1=${v1(secret)}`,
    `t=${t},v1=${v1(secret).toUpperCase()}`,
    `t=${t},v1=${v1(secret).slice(1)}`,
    `t=${t},v1=${v1(secret)}0`,
    `t=${t},v1=${'zz'.repeat(32)}`,
    `t=${t}${`,v1=${v1(secret)}`.repeat(9)}`,
  ])('refuses the header %p', async (header) => {
    expect(await codeOf({ header })).toBe('signature_malformed');
  });

  test('refuses two headers where there should be one', async () => {
    const header = [`t=${t},v1=${v1(secret)}`, `t=${t},v1=${v1(secret)}`];
    expect(await codeOf({ header })).toBe('signature_malformed');
    expect(await codeOf({ header: [] })).toBe('signature_malformed');
  });

  test('takes five minutes either way unless told otherwise, and no more', async () => {
    expect(await codeOf({ now: at(300) })).toBe('verified');
    expect(await codeOf({ now: at(301) })).toBe('timestamp_outside');
    expect(await codeOf({ now: at(-301) })).toBe('timestamp_outside');
    expect(await codeOf({ now: at(61), toleranceSeconds: 60 })).toBe('timestamp_outside');
    expect(await codeOf({ now: at(3000), toleranceSeconds: 3600 })).toBe('verified');
    expect(await codeOf({ toleranceSeconds: Number.NaN })).toBe('timestamp_outside');
    const fresh = await webhooks.testHeader({ payload, secret });
    expect((await webhooks.verify({ payload, header: fresh, secret })).id).toBe(event.id);
  });

  test('an old one with a wrong signature says that it is wrong: nobody learns of the clock', async () => {
    expect(await codeOf({ header: `t=${t - 9999},v1=${v1(other)}` })).toBe('signature_wrong');
  });

  test('needs a secret, and the raw body', async () => {
    expect(await codeOf({ secret: undefined })).toBe('secret_missing');
    expect(await codeOf({ secret: '' })).toBe('secret_missing');
    expect(await codeOf({ secret: [] })).toBe('secret_missing');
    const parsed: string = JSON.parse(JSON.stringify(event));
    expect(await codeOf({ payload: parsed })).toBe('payload_malformed');
  });

  test.each([
    '',
    'no',
    '[]',
    '{}',
    '{"id":1,"type":"ping","createdAt":"x","data":{}}',
    '{"id":"1","type":"ping","createdAt":"x"}',
  ])('a signed body that is no event: %p', async (body) => {
    expect(await codeOf({ payload: body, header: `t=${t},v1=${v1(secret, body)}` })).toBe('payload_malformed');
  });

  test('an error shows neither secret nor body', async () => {
    const error = await webhooks.verify({ payload, header: 'x', secret, now }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(WebhookError);
    expect(JSON.stringify(error) + String(error)).not.toContain(secret);
  });
});

test('testHeader is what the server would send', async () => {
  expect(await webhooks.testHeader({ payload, secret, now })).toBe(`t=${t},v1=${v1(secret)}`);
  expect(await webhooks.testHeader({ payload: Buffer.from(payload), secret, now })).toBe(`t=${t},v1=${v1(secret)}`);
});
