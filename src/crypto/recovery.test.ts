import { describe, expect, test } from 'bun:test';
import * as fc from 'fast-check';
import { CryptoError } from './errors.ts';
import { createRecoveryCode, formatRecoveryCode, parseRecoveryCode } from './recovery.ts';

fc.configureGlobal({ seed: 1 });

const counter = Uint8Array.from({ length: 20 }, (_, index) => index);
// Computed apart, with Python's integers.
const counterCode = '000G-40R4-0M30-E209-185G-R38E-1W81-24GK';

describe('recovery codes', () => {
  test('known answers', () => {
    expect(formatRecoveryCode(counter)).toBe(counterCode);
    expect(parseRecoveryCode(counterCode)).toEqual(counter);
    expect(formatRecoveryCode(new Uint8Array(20).fill(0xff))).toBe(Array(8).fill('ZZZZ').join('-'));
  });

  test('a new one is 160 random bits in groups of four', () => {
    const code = createRecoveryCode();
    expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){7}[0-9A-HJKMNP-TV-Z]{4}$/);
    expect(createRecoveryCode()).not.toBe(code);
    expect(formatRecoveryCode(parseRecoveryCode(code))).toBe(code);
  });

  test('any 20 bytes there and back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), (code) => {
        expect(parseRecoveryCode(formatRecoveryCode(code))).toEqual(new Uint8Array(code));
      }),
    );
  });

  test('read as people write', () => {
    const spellings = [
      counterCode.toLowerCase(),
      counterCode.replaceAll('-', ''),
      counterCode.replaceAll('-', ' '),
      counterCode.replaceAll('-', ' – '),
      `  ${counterCode}\n`,
      counterCode.replaceAll('0', 'O').replaceAll('1', 'I'),
      counterCode.replaceAll('0', 'o').replaceAll('1', 'l'),
      counterCode.replaceAll('1', 'i').replaceAll('1', 'L'),
    ];
    for (const spelling of spellings) expect(parseRecoveryCode(spelling)).toEqual(counter);
  });

  test('anything else is refused', () => {
    const wrong = [
      '',
      counterCode.slice(1),
      `${counterCode}0`,
      counterCode.replace('G', 'U'),
      counterCode.replace('G', '*'),
    ];
    for (const text of [...wrong, counterCode.replace('G', 'é'), counterCode.replace('8', 'ſ')]) {
      expect(() => parseRecoveryCode(text)).toThrow(CryptoError);
    }
    expect(() => formatRecoveryCode(new Uint8Array(19))).toThrow(CryptoError);
  });
});
