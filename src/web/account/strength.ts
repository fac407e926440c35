import { shortestPassword } from '../../../sdk/vault/src/index.ts';

/** How hard a password is to guess, roughly: 0 too short, 1 weak, 2 fair, 3 good, 4 strong. A hint, never a verdict. */
export type Strength = 0 | 1 | 2 | 3 | 4;

const common = /password|passwort|qwerty|azerty|letmein|welcome|iloveyou|admin|keypass|12345|abcde|111111/;

export function passwordStrength(password: string, email: string): Strength {
  if (password.length < shortestPassword) return 0;
  const lower = password.toLowerCase();
  const [name = ''] = email.toLowerCase().split('@');
  if (common.test(lower) || (name.length > 3 && lower.includes(name))) return 1;
  const bits = unpredictable(lower) * Math.log2(alphabet(password));
  if (bits < 50) return 1;
  if (bits < 65) return 2;
  return bits < 85 ? 3 : 4;
}

/** Characters that neither repeat the one before nor go on in its row. */
function unpredictable(text: string): number {
  let count = 0;
  for (let index = 0; index < text.length; index++) {
    const step = text.charCodeAt(index) - text.charCodeAt(index - 1);
    if (Number.isNaN(step) || Math.abs(step) > 1) count++;
  }
  return Math.min(count, new Set(text).size * 2);
}

function alphabet(password: string): number {
  const sizes: [RegExp, number][] = [
    [/[a-z]/, 20],
    [/[A-Z]/, 20],
    [/\d/, 10],
    [/[^a-zA-Z\d]/, 16],
  ];
  return sizes.reduce((size, [pattern, count]) => (pattern.test(password) ? size + count : size), 1);
}
