import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import { expect, test } from 'bun:test';
import Groq from 'groq-sdk';
import OpenAI from 'openai';
import { accessToken, startServer } from '../test/server.ts';
import { InvalidRequestError, KeyPassClient } from './index.ts';

const server = startServer();
const client = new KeyPassClient({ baseUrl: server.baseUrl });
const messages = [{ role: 'user' as const, content: 'hi' }];

/** What arrived of the one request, and the header that carried the token. */
function arrived() {
  const [seen] = server.seen;
  const tokenIn = [...(seen?.headers ?? [])].filter(([, value]) => value.includes(accessToken));
  return { request: `${seen?.method} ${seen?.path}`, tokenIn };
}

test('openai', async () => {
  const openai = new OpenAI(client.clientOptions(accessToken, 'openai'));
  await openai.chat.completions.create({ model: 'gpt-x', messages });
  expect(arrived()).toEqual({
    request: 'POST /openai/v1/chat/completions',
    tokenIn: [['authorization', `Bearer ${accessToken}`]],
  });
});

test('anthropic', async () => {
  const anthropic = new Anthropic(client.clientOptions(accessToken, 'anthropic'));
  await anthropic.messages.create({ model: 'claude-x', max_tokens: 1, messages });
  // This client sends its key as a bearer; others of Anthropic's use x-api-key.
  expect(arrived()).toEqual({
    request: 'POST /anthropic/v1/messages',
    tokenIn: [['authorization', `Bearer ${accessToken}`]],
  });
});

test('google', async () => {
  const google = new GoogleGenAI(client.clientOptions(accessToken, 'google'));
  await google.models.generateContent({ model: 'gemini-x', contents: 'hi' });
  expect(arrived()).toEqual({
    request: 'POST /google/v1/models/gemini-x:generateContent',
    tokenIn: [['x-goog-api-key', accessToken]],
  });
});

test('google, streamed', async () => {
  server.answer = () => new Response('data: {}\n\n', { headers: { 'content-type': 'text/event-stream' } });
  const google = new GoogleGenAI(client.clientOptions(accessToken, 'google'));
  await Array.fromAsync(await google.models.generateContentStream({ model: 'gemini-x', contents: 'hi' }));
  expect(arrived().request).toBe('POST /google/v1/models/gemini-x:streamGenerateContent?alt=sse');
});

test('groq', async () => {
  const groq = new Groq(client.clientOptions(accessToken, 'groq'));
  await groq.chat.completions.create({ model: 'llama-x', messages });
  expect(arrived()).toEqual({
    request: 'POST /groq/openai/v1/chat/completions',
    tokenIn: [['authorization', `Bearer ${accessToken}`]],
  });
});

test('a provider without an official client here is refused', () => {
  // As from JavaScript, where nothing checks the name.
  const loose: { clientOptions(accessToken: string, provider: string): unknown } = client;
  expect(() => loose.clientOptions(accessToken, 'toString')).toThrow(InvalidRequestError);
});
