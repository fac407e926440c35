import { describe, expect, test } from 'bun:test';
import * as fc from 'fast-check';
import { hkdf } from './derive.ts';
import { openEnvelope, sealEnvelope } from './envelope.ts';
import { CryptoError } from './errors.ts';
import { createToken, lookupOf, parseToken, tokenFromBytes, tokenKey, tokenKind, type TokenKind } from './tokens.ts';

fc.configureGlobal({ seed: 1 });

const prefixes: Record<TokenKind, string> = {
  clientId: 'kp_cid_',
  clientSecret: 'kp_cs_',
  link: 'kp_lt_',
  public: 'kp_pt_',
  access: 'kp_at_',
  session: 'kp_ss_',
  invitation: 'kp_in_',
  webhookSecret: 'kp_wh_',
};
const kinds = [
  'clientId',
  'clientSecret',
  'link',
  'public',
  'access',
  'session',
  'invitation',
  'webhookSecret',
] as const;
const counter = Uint8Array.from({ length: 32 }, (_, index) => index);
// Computed apart, with Python's integers and zlib.crc32.
const counterBody = '003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf';
const largestBody = 'yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1';

/** Why a promise was refused; undefined if it was not. */
function refusal(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
}

describe('tokens', () => {
  test('known answers', () => {
    expect(tokenFromBytes('access', counter)).toBe(`kp_at_${counterBody}1S3cGH`);
    expect(tokenFromBytes('clientId', new Uint8Array(32).fill(0xff))).toBe(`kp_cid_${largestBody}26IDl4`);
    expect(tokenFromBytes('session', new Uint8Array(32))).toBe(`kp_ss_${'0'.repeat(43)}3opF25`);
  });

  test.each(kinds)('a new %s token is of its kind and of no other', (kind) => {
    const token = createToken(kind);
    expect(token).toMatch(new RegExp(`^${prefixes[kind]}[0-9A-Za-z]{49}$`));
    expect(createToken(kind)).not.toBe(token);
    expect(tokenKind(token)).toBe(kind);
    expect(tokenFromBytes(kind, parseToken(kind, token))).toBe(token);
    for (const other of kinds) {
      if (other !== kind) expect(() => parseToken(other, token)).toThrow(CryptoError);
    }
  });

  test('another prefix makes another token, even with the same bytes', () => {
    const body = tokenFromBytes('access', counter).slice('kp_at_'.length);
    expect(() => parseToken('public', `kp_pt_${body}`)).toThrow(CryptoError);
  });

  test('any 32 bytes there and back', () => {
    const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(bytes, (secret) => {
        expect(parseToken('link', tokenFromBytes('link', secret))).toEqual(new Uint8Array(secret));
      }),
    );
  });

  test('each single character changed is refused', () => {
    const token = tokenFromBytes('access', counter);
    for (let index = 0; index < token.length; index++) {
      for (const character of ['0', 'z', '-']) {
        const changed = token.slice(0, index) + character + token.slice(index + 1);
        if (changed !== token) expect(() => parseToken('access', changed)).toThrow(CryptoError);
      }
    }
  });

  test('2²⁵⁶ and above are refused, though their checksums are right', () => {
    const one = `${largestBody.slice(0, -1)}2`;
    expect(() => parseToken('access', `kp_at_${one}1ToRLv`)).toThrow(CryptoError);
    expect(() => parseToken('access', `kp_at_${'z'.repeat(43)}01HLcW`)).toThrow(CryptoError);
  });

  test('shorter, longer and surrounded ones are refused', () => {
    const token = tokenFromBytes('access', counter);
    const malformed = ['', 'kp_at_', token.slice(0, -1), `${token}0`, ` ${token}`, `${token}\n`, token.toLowerCase()];
    for (const text of malformed) expect(() => parseToken('access', text)).toThrow(CryptoError);
    for (const lone of ['\uD800', '😀']) {
      expect(() => parseToken('access', token.replace('003', lone))).toThrow(CryptoError);
    }
  });

  test('an error never repeats the token', () => {
    expect(() => parseToken('access', `kp_at_${counterBody}1S3cGI`)).toThrow('not a token of this kind');
  });

  test('the kind goes by the prefix alone', () => {
    expect(tokenKind('kp_cs_')).toBe('clientSecret');
    for (const text of ['', 'kp_', 'kp_xx_1', 'KP_AT_1', 'sk-1']) expect(tokenKind(text)).toBeUndefined();
  });

  test('32 bytes, no more and no fewer', () => {
    expect(() => tokenFromBytes('access', new Uint8Array(31))).toThrow(CryptoError);
    expect(() => tokenFromBytes('access', new Uint8Array(33))).toThrow(CryptoError);
  });
});

describe('what is derived from a token', () => {
  test.each([
    ['access', 'access/lookup'],
    ['public', 'public/lookup'],
    ['link', 'link/lookup'],
    ['session', 'session/lookup'],
    ['clientSecret', 'secret/lookup'],
    ['clientId', 'client/lookup'],
    ['invitation', 'invitation/lookup'],
  ] as const)('the lookup of %s is HKDF with %s', async (kind, use) => {
    expect(await lookupOf(kind, tokenFromBytes(kind, counter))).toEqual(await hkdf(counter, use));
  });

  test('a malformed token has neither lookup nor key', async () => {
    expect(await refusal(lookupOf('access', 'kp_at_1'))).toBeInstanceOf(CryptoError);
    expect(await refusal(tokenKey('access', 'kp_at_1', 'access/wrap'))).toBeInstanceOf(CryptoError);
  });

  test('the two keys of a public token differ', async () => {
    const token = tokenFromBytes('public', counter);
    const context = new Uint8Array(0);
    const envelope = await sealEnvelope(await tokenKey('public', token, 'public/wrap'), context, counter);
    expect(await openEnvelope(await tokenKey('public', token, 'public/wrap'), context, envelope)).toEqual(counter);
    const reply = await tokenKey('public', token, 'public/reply');
    expect(await refusal(openEnvelope(reply, context, envelope))).toBeInstanceOf(CryptoError);
  });
});
