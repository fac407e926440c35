import { describe, expect, test } from 'bun:test';
import { catalogueOf } from '../../providers/index.ts';
import { anthropic } from '../../providers/anthropic.ts';
import { google as googleApi } from '../../providers/google.ts';
import { groq } from '../../providers/groq.ts';
import { openai } from '../../providers/openai.ts';
import { readAddress, readModelName } from './address.ts';
import { exchangeFor } from './exchange.ts';

const providers = catalogueOf();

const messages = [{ role: 'user', content: 'Hi' }];

describe('readAddress', () => {
  test('takes `provider` out and leaves the rest', () => {
    const body = { model: 'openai/gpt-oss-120b', messages, tools: [] };
    expect(readAddress(providers, { provider: 'groq', ...body })).toEqual({
      provider: groq,
      model: 'openai/gpt-oss-120b',
      body,
    });
  });

  test.each([
    [{ model: 'm' }, 'invalid_request', 'provider'],
    [{ provider: 5, model: 'm' }, 'invalid_request', 'provider'],
    [{ provider: 'nobody', model: 'm' }, 'provider_unknown', 'provider'],
    [{ provider: 'toString', model: 'm' }, 'provider_unknown', 'provider'],
    [{ provider: 'openai' }, 'invalid_request', 'model'],
    [{ provider: 'openai', model: '' }, 'invalid_request', 'model'],
  ])('refuses %j', (body, code, param) => {
    expect(() => readAddress(providers, body)).toThrow(expect.objectContaining({ code, param }));
  });
});

describe('readModelName', () => {
  test('a provider before the first slash', () => {
    expect(readModelName(providers, { model: 'anthropic/claude-opus-4-8' })).toEqual({
      provider: anthropic,
      model: 'claude-opus-4-8',
      body: { model: 'claude-opus-4-8' },
    });
    expect(readModelName(providers, { model: 'groq/openai/gpt-oss-120b' })).toMatchObject({
      provider: groq,
      model: 'openai/gpt-oss-120b',
    });
  });

  test.each(['gpt-4o', 'ft:gpt-4o:org/x', 'nobody/gpt-4o', '/gpt-4o', 'anthropic', 5, undefined])(
    '%p is a name of OpenAI',
    (model) => expect(readModelName(providers, { model })).toBeUndefined(),
  );

  test('a provider needs a model, and a member that it does not know stays', () => {
    expect(() => readModelName(providers, { model: 'openai/' })).toThrow(expect.objectContaining({ param: 'model' }));
    expect(readModelName(providers, { model: 'openai/m', provider: 'x' })?.body).toEqual({ model: 'm', provider: 'x' });
  });
});

const google = (model: string, stream: boolean) =>
  exchangeFor({ provider: googleApi, model, body: { model, messages, stream } });

describe('exchangeFor', () => {
  test('openai gets the body as it is, and its answers stay as they are', () => {
    const body = { model: 'm', messages, tools: [{ type: 'function' }], stream: true, unheard_of: 1 };
    const exchange = exchangeFor({ provider: openai, model: 'm', body });
    const path = '/v1/chat/completions';
    expect(exchange).toEqual({ provider: openai, model: 'm', path, query: '', body, isStream: true });
    expect(exchange.body).toBe(body);
    expect(exchangeFor({ provider: openai, model: 'm', body: { model: 'm' } }).isStream).toBe(false);
  });

  test('the path of others is in their data', () => {
    const exchange = exchangeFor({ provider: groq, model: 'm', body: { model: 'm', messages } });
    expect(exchange).toMatchObject({ path: '/openai/v1/chat/completions', query: '', isStream: false });
    expect(exchange.translation).toBeDefined();
  });

  test("google's model and its streaming are in the path", () => {
    expect(google('gemini-2.5-flash', false)).toMatchObject({
      path: '/v1beta/models/gemini-2.5-flash:generateContent',
      query: '',
    });
    expect(google('models/gemini-2.5-flash', true)).toMatchObject({
      path: '/v1beta/models/gemini-2.5-flash:streamGenerateContent',
      query: 'alt=sse',
    });
    for (const model of ['../x', 'a/b', 'x:countTokens', 'x?key=y', 'a%2fb', '']) {
      expect(() => google(model, false)).toThrow(expect.objectContaining({ code: 'invalid_request', param: 'model' }));
    }
  });

  test('anthropic streams by its body', () => {
    const exchange = exchangeFor({ provider: anthropic, model: 'm', body: { model: 'm', messages, stream: true } });
    expect(exchange).toMatchObject({ path: '/v1/messages', query: '', isStream: true, body: { stream: true } });
  });
});
