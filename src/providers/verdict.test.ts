import { describe, expect, test } from 'bun:test';
import { catalogueOf, checkVerdictOf, providers, speaksOfKey, verdictOf, type KeyVerdict } from './index.ts';

const statusesOf = (id: string) => catalogueOf().get(id)?.keyStatuses;
const googleError = (code: number, message: string, reason?: string) => ({
  error: { code, message, details: reason === undefined ? [] : [{ '@type': 'x', reason }] },
});

describe('what a refusal says of the key', () => {
  const scopes = 'You have insufficient permissions for this operation. Missing scopes: api.responses.write.';
  const cors = 'CORS requests are not allowed for this Organization because of its settings.';
  const told: [string, number, unknown, KeyVerdict][] = [
    ['openai', 401, { error: { message: 'Incorrect API key provided: sk-ab***yz.' } }, 'rejected'],
    ['openai', 401, { error: { message: scopes } }, 'restricted'],
    ['openai', 401, { error: { message: 'Your IP is not authorized to use this project.' } }, 'restricted'],
    ['openai', 403, { error: { message: 'Country, region, or territory not supported' } }, 'restricted'],
    ['openai', 429, { error: { message: 'You exceeded your current quota.' } }, 'unknown'],
    [
      'anthropic',
      401,
      { type: 'error', error: { type: 'authentication_error', message: 'invalid x-api-key' } },
      'rejected',
    ],
    ['anthropic', 401, { type: 'error', error: { type: 'authentication_error', message: cors } }, 'unknown'],
    ['anthropic', 403, { type: 'error', error: { type: 'permission_error', message: 'No.' } }, 'restricted'],
    ['google', 400, googleError(400, 'API key not valid.', 'API_KEY_INVALID'), 'rejected'],
    ['google', 400, [googleError(400, 'API key expired.', 'API_KEY_INVALID')], 'rejected'],
    ['google', 400, googleError(400, 'contents is required'), 'unknown'],
    ['google', 403, googleError(403, "Consumer 'api_key:…' has been suspended.", 'CONSUMER_SUSPENDED'), 'rejected'],
    ['google', 403, googleError(403, 'Your API key was reported as leaked.'), 'rejected'],
    ['google', 403, googleError(403, 'Requests from this IP are blocked.', 'API_KEY_IP_ADDRESS_BLOCKED'), 'restricted'],
    ['groq', 403, { error: { message: 'Blocked.', code: 'model_permission_blocked_project' } }, 'restricted'],
    [
      'xai',
      400,
      { code: 'Client specified an invalid argument', error: 'Incorrect API key provided: xa***' },
      'rejected',
    ],
    ['xai', 400, { code: 'Client specified an invalid argument', error: 'Argument not supported' }, 'unknown'],
    ['openrouter', 403, { error: { code: 403, message: 'Your input was flagged' } }, 'unknown'],
    ['openrouter', 402, { error: { code: 402, message: 'Insufficient credits' } }, 'rejected'],
    ['together', 403, { error: { message: 'too long' } }, 'unknown'],
    ['fireworks', 403, { error: 'forbidden' }, 'rejected'],
    ['perplexity', 401, undefined, 'rejected'],
    ['mistral', 401, { detail: 'Unauthorized' }, 'rejected'],
    ['mistral', 400, { message: 'Invalid API key in the prompt' }, 'unknown'],
    ['deepseek', 402, { error: { message: 'Insufficient Balance' } }, 'rejected'],
  ];

  test.each(told)('of %s: %d %j', (id, status, body, verdict) => {
    expect(verdictOf({ status, body }, statusesOf(id))).toBe(verdict);
  });

  test.each([0, 200, 204, 301, 404, 422, 429, 500, 503])('%d says that it works, or nothing', (status) => {
    const body = { error: { message: 'Incorrect API key provided' } };
    expect(verdictOf({ status, body })).toBe(status >= 200 && status < 300 ? 'works' : 'unknown');
  });

  test('no body makes it fail, and none makes a good key of it', () => {
    const odd = [null, undefined, 0, '', 'no', [], [[]], {}, { error: null }, { error: { details: [null, 1, {}] } }];
    for (const body of odd) {
      expect(verdictOf({ status: 401, body })).toBe('rejected');
      expect(verdictOf({ status: 403, body })).toBe('restricted');
      expect(verdictOf({ status: 400, body }, statusesOf('google'))).toBe('unknown');
    }
  });

  test('only what can be about a key is read before it is passed on', () => {
    const read = providers.flatMap(({ id, keyStatuses }) => (speaksOfKey(400, keyStatuses) ? [id] : []));
    expect(read).toEqual(['google', 'xai']);
    expect([401, 403].every((status) => speaksOfKey(status))).toBe(true);
    expect([200, 402, 404, 429, 500].some((status) => speaksOfKey(status))).toBe(false);
  });
});

describe('what a check says', () => {
  test.each([
    [{ data: [] }, 'works'],
    [undefined, 'works'],
    [{ valid: true }, 'works'],
    [{ valid: false }, 'rejected'],
    [{ is_available: false, balance_infos: [] }, 'rejected'],
    [{ api_key_blocked: false, api_key_disabled: false, team_blocked: false }, 'works'],
    [{ api_key_blocked: false, api_key_disabled: false, team_blocked: true }, 'rejected'],
  ] satisfies [unknown, KeyVerdict][])('%j', (body, verdict) => {
    expect(checkVerdictOf({ status: 200, body })).toBe(verdict);
  });

  test('a no inside counts only where the status says yes', () => {
    expect(checkVerdictOf({ status: 500, body: { valid: false } })).toBe('unknown');
  });
});
