import { isObject, listAt, memberAt } from '../../src/money/json.ts';
import type { Said } from './stream-recordings.ts';

/** What a chat's stream in OpenAI's shape says as a whole, read without any of the product's code. */
export function saidBy(bytes: Uint8Array): Said & { readonly isWhole: boolean } {
  const data = dataOf(new TextDecoder().decode(bytes));
  const chunks = data.filter((each) => each !== '[DONE]').map((each): unknown => JSON.parse(each));
  const deltas = chunks.map((chunk) => memberAt(listAt(chunk, 'choices')[0], 'delta'));
  const texts = deltas.map((delta) => memberAt(delta, 'content'));
  const usage = chunks.map((chunk) => memberAt(chunk, 'usage')).findLast(isObject);
  return {
    text: texts.filter((each) => typeof each === 'string').join(''),
    calls: callsOf(deltas),
    usage: { prompt: numberAt(usage, 'prompt_tokens'), completion: numberAt(usage, 'completion_tokens') },
    isWhole: data.at(-1) === '[DONE]',
  };
}

/** The data of events, by the standard's own words: lines end in three ways, a mark at the beginning is no text. */
function dataOf(text: string): string[] {
  const events = text.split(/(?:\r\n|\r(?!\n)|\n){2}/);
  return events.flatMap((event) => {
    const lines = event.split(/\r\n|\r|\n/).filter((line) => line.startsWith('data:'));
    return lines.length === 0 ? [] : [lines.map((line) => line.slice(5).replace(/^ /, '')).join('\n')];
  });
}

function callsOf(deltas: readonly unknown[]): Said['calls'] {
  const calls: { name: string; arguments: string }[] = [];
  for (const part of deltas.flatMap((delta) => listAt(delta, 'tool_calls'))) {
    const call = (calls[numberAt(part, 'index')] ??= { name: '', arguments: '' });
    call.name += textAt(memberAt(part, 'function'), 'name');
    call.arguments += textAt(memberAt(part, 'function'), 'arguments');
  }
  return calls.map(({ name, arguments: json }) => ({ name, arguments: JSON.parse(json) as unknown }));
}

function numberAt(value: unknown, name: string): number {
  return Number(memberAt(value, name));
}

function textAt(value: unknown, name: string): string {
  const text = memberAt(value, name);
  return typeof text === 'string' ? text : '';
}
