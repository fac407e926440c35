import { isRecord } from './errors.ts';
import type { ChatCompletion, ChatCompletionChunk, Connection, Exchange, LinkSession } from './types.ts';

/**
 * These check what an app stores or loops over. Not every member: a newer server may say more, and a provider of
 * OpenAI's shape may leave something out.
 */
export type Guard<T> = (value: unknown) => value is T;

export const isLinkSession: Guard<LinkSession> = (value): value is LinkSession => hasTexts(value, 'linkToken');

export const isExchange: Guard<Exchange> = (value): value is Exchange =>
  hasTexts(value, 'accessToken', 'connectionId') && isRecord(value['policy']);

export const isConnection: Guard<Connection> = (value): value is Connection =>
  hasTexts(value, 'id', 'status', 'spent', 'held');

export const isCompletion: Guard<ChatCompletion> = (value): value is ChatCompletion => hasChoices(value);

export const isChunk: Guard<ChatCompletionChunk> = (value): value is ChatCompletionChunk => hasChoices(value);

export const isAnything: Guard<unknown> = (_value): _value is unknown => true;

function hasTexts(value: unknown, ...names: string[]): value is Record<string, unknown> {
  return isRecord(value) && names.every((name) => typeof value[name] === 'string');
}

function hasChoices(value: unknown): boolean {
  return isRecord(value) && Array.isArray(value['choices']);
}
