import { expect, test } from 'bun:test';
import { passwordStrength, type Strength } from './strength.ts';

const email = 'margaret@example.com';

const examples: [password: string, strength: Strength][] = [
  ['short', 0],
  ['password1234!', 1],
  ['margaret-2026', 1],
  ['aaaaaaaaaaaaaaaaaaaa', 1],
  ['abcdefghijklmnop', 1],
  ['tr4vel Lam', 2],
  ['correct horse battery staple', 4],
];

test.each(examples)('%p is worth %p', (password, strength) => {
  expect(passwordStrength(password, email)).toBe(strength);
});

test('more of the same kind never makes a password weaker', () => {
  const words = 'quiet river under the seven hills';
  const scores = Array.from({ length: words.length }, (_, index) => passwordStrength(words.slice(0, index + 1), email));
  expect(scores).toEqual(scores.toSorted((a, b) => a - b));
});
