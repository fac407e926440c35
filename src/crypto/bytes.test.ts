import { describe, expect, test } from 'bun:test';
import * as fc from 'fast-check';
import { fromBase64Url, toBase64Url } from './base64url.ts';
import { concat, equalBytes, fromUtf8, randomBytes, sha256, utf8, zero } from './bytes.ts';
import { CryptoError } from './errors.ts';
import { isUuid, newUuid, uuidToBytes } from './uuid.ts';

fc.configureGlobal({ seed: 1 });

describe('bytes', () => {
  test('concat joins and copies', () => {
    const part = Uint8Array.of(1, 2);
    const whole = concat(part, new Uint8Array(0), Uint8Array.of(3));
    part[0] = 9;
    expect(whole).toEqual(Uint8Array.of(1, 2, 3));
    expect(concat()).toEqual(new Uint8Array(0));
  });

  test('equalBytes compares every byte', () => {
    const bytes = randomBytes(32);
    expect(equalBytes(bytes, new Uint8Array(bytes))).toBe(true);
    for (let index = 0; index < 32; index++) {
      const other = new Uint8Array(bytes);
      other[index] = (other[index] ?? 0) ^ 0x80;
      expect(equalBytes(bytes, other)).toBe(false);
    }
    expect(equalBytes(bytes, bytes.subarray(0, 31))).toBe(false);
    expect(equalBytes(bytes.subarray(0, 31), bytes)).toBe(false);
  });

  test('zero clears in place, random bytes are not zero, SHA-256 is SHA-256', async () => {
    const bytes = randomBytes(32);
    expect(bytes.some((byte) => byte !== 0)).toBe(true);
    zero(bytes);
    expect(bytes).toEqual(new Uint8Array(32));
    // FIPS 180-2, appendix B.1
    const digest = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    expect(Buffer.from(await sha256(utf8('abc'))).toString('hex')).toBe(digest);
  });
});

describe('UTF-8', () => {
  test('there and back, a byte order mark too', () => {
    for (const text of ['', 'aé€😀', '\uFEFFtext']) expect(fromUtf8(utf8(text))).toBe(text);
  });

  test('refuses malformed bytes and lone surrogates', () => {
    for (const bytes of [[0x80], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x82]]) {
      expect(() => fromUtf8(Uint8Array.from(bytes))).toThrow(CryptoError);
    }
    expect(() => utf8('a\uD800')).toThrow(CryptoError);
    expect(() => utf8('\uDC00a')).toThrow(CryptoError);
  });
});

describe('base64url', () => {
  // RFC 4648, section 10, without padding; the last one has the two digits that differ from plain base64.
  test.each([
    ['', ''],
    ['66', 'Zg'],
    ['666f', 'Zm8'],
    ['666f6f', 'Zm9v'],
    ['666f6f62', 'Zm9vYg'],
    ['666f6f6261', 'Zm9vYmE'],
    ['666f6f626172', 'Zm9vYmFy'],
    ['fbefff', '--__'],
  ])('%s is %s', (hex, text) => {
    const bytes = new Uint8Array(Buffer.from(hex, 'hex'));
    expect(toBase64Url(bytes)).toBe(text);
    expect(fromBase64Url(text)).toEqual(bytes);
  });

  test('any bytes there and back, as the runtime writes them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(toBase64Url(bytes)).toBe(Buffer.from(bytes).toString('base64url'));
        expect(fromBase64Url(toBase64Url(bytes))).toEqual(new Uint8Array(bytes));
      }),
    );
  });

  test.each(['Zg==', 'Zg=', 'Z', 'Zm9vY', 'Zh', 'Zm9', '++//', 'Zm 8', 'Zm8\n', ' Zm8', 'Zm8é', 'Zm8\u{1F600}'])(
    'refuses %j',
    (text) => {
      expect(() => fromBase64Url(text)).toThrow(CryptoError);
    },
  );

  test('any accepted text is the only one for its bytes', () => {
    const text = fc.string({ unit: fc.constantFrom(...Array.from('ABQgwxyz019-_')), maxLength: 12 });
    fc.assert(
      fc.property(text, (candidate) => {
        let bytes: Uint8Array;
        try {
          bytes = fromBase64Url(candidate);
        } catch {
          return;
        }
        expect(toBase64Url(bytes)).toBe(candidate);
      }),
      { numRuns: 500 },
    );
  });
});

describe('UUIDs', () => {
  test('new ones are canonical, of version 4, and give their own 16 bytes', () => {
    const uuid = newUuid();
    expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(newUuid()).not.toBe(uuid);
    expect(Buffer.from(uuidToBytes(uuid)).toString('hex')).toBe(uuid.replaceAll('-', ''));
  });

  test('other spellings and the nil UUID are refused', () => {
    const uuid = '01234567-89ab-4cde-8f01-23456789abcd';
    expect(isUuid(uuid)).toBe(true);
    const spellings = [
      uuid.toUpperCase(),
      uuid.replaceAll('-', ''),
      `{${uuid}}`,
      ` ${uuid}`,
      `${uuid}\n`,
      uuid.slice(1),
      uuid.replace('0', 'g'),
      '00000000-0000-0000-0000-000000000000',
      '',
    ];
    for (const spelling of spellings) {
      expect(isUuid(spelling)).toBe(false);
      expect(() => uuidToBytes(spelling)).toThrow(CryptoError);
    }
  });
});
