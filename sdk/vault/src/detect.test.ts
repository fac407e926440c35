import { describe, expect, test } from 'bun:test';
import { detectProvider, detectProviders, normaliseSecret } from './detect.ts';
import { KeyRefusedError } from './errors.ts';

const x = (length: number) => 'x'.repeat(length);
const a = (length: number) => 'a'.repeat(length);
/** Put together here, so that no scanner takes a test for a leak. */
const made = (...parts: string[]) => parts.join('');

describe('detectProvider', () => {
  test.each([
    ['openai', made('sk-', 'proj-', x(20), 'T3Blbk', 'FJ', x(20))],
    ['openai', made('sk-', x(20), 'T3Blbk', 'FJ', x(20))],
    ['anthropic', made('sk-', 'ant-api03-', x(93), 'AA')],
    ['google', made('AI', 'za', x(35))],
    ['google', made('AQ.', x(42))],
    ['groq', made('gs', 'k_', x(52))],
    ['openrouter', made('sk-', 'or-v1-', a(64))],
    ['xai', made('xa', 'i-', x(80))],
    ['deepseek', made('sk-', x(32))],
    ['together', made('tgp', '_v1_', x(43))],
    ['fireworks', made('fw', '_', x(24))],
    ['perplexity', made('ppl', 'x-', x(48))],
    ['cerebras', made('cs', 'k-', x(48))],
    ['huggingface', made('hf', '_', x(34))],
    ['mistral', x(32)],
    ['cohere', x(40)],
    [null, 'something-else'],
    [null, ''],
  ])('%s', (provider, secret) => {
    expect(detectProvider(`  ${secret}\n`)).toBe(provider);
  });

  test('names one provider once', () => {
    expect(detectProviders(made('sk-', x(32)))).toEqual(['deepseek']);
  });
});

describe('normaliseSecret', () => {
  test('takes the white space of a paste away', () => {
    expect(normaliseSecret(' \tabc-DEF_123\r\n')).toBe('abc-DEF_123');
  });

  test.each([
    ['empty', ' \n '],
    ['admin_key', made('sk-', 'admin-', x(40))],
    ['admin_key', made('sk-', 'ant-admin01-', x(40))],
    ['oauth_token', made('ya', '29.', x(40))],
    ['oauth_token', made('ey', 'J', x(40), '.', x(40))],
    ['keypass_token', made('kp', '_at_', x(49))],
    ['malformed', 'two words'],
    ['malformed', 'line\nbreak'],
    ['malformed', 'caf\u00e9'],
  ] as const)('refuses %s with its reason and without the value', (reason, secret) => {
    const attempt = () => normaliseSecret(secret);
    expect(attempt).toThrow(KeyRefusedError);
    try {
      attempt();
    } catch (error) {
      expect(error).toMatchObject({ reason, code: 'key_refused' });
      expect(JSON.stringify(error) + String(error)).not.toContain(secret.trim() || '\u0000');
    }
  });
});
