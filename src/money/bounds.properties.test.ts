import { describe, test } from 'bun:test';
import * as fc from 'fast-check';
import { asked, call, formats, hello } from './bounds.fixture.ts';
import { boundOf, lowerOutput } from './bounds.ts';
import { costOf } from './cost.ts';
import type { JsonObject } from './json.ts';
import { maxTokensMembers } from './output-limit.ts';
import type { Price } from './prices.ts';
import { noTokens } from './usage.ts';

/** The same cases on every run. */
const run = { seed: 20_261_115 };

const models: [string, string][] = [
  ['openai', 'gpt-4o'],
  ['openai', 'gpt-6-sol'],
  ['anthropic', 'claude-sonnet-4-5'],
  ['google', 'gemini-2.5-pro'],
  ['groq', 'openai/gpt-oss-20b'],
];
const limited = (provider: string, body: JsonObject, most: number) => ({
  ...body,
  ...maxTokensMembers(formats[provider] ?? 'gemini', body, most),
});
const text = fc.string({ maxLength: 400, unit: 'binary' }).map((piece) => piece.repeat(600));

function request(provider: string, content: string, cached: boolean): JsonObject {
  if (provider === 'google') return { contents: [{ parts: [{ text: content }] }] };
  const mark = cached && provider === 'anthropic' ? { cache_control: { type: 'ephemeral', ttl: '1h' } } : {};
  return { messages: [{ role: 'user', content: [{ type: 'text', text: content, ...mark }] }] };
}

/** Splits `total` at sorted cuts into four parts. */
function split(total: number, cuts: [number, number, number]): [number, number, number, number] {
  const [a, b, c] = cuts.map((cut) => Math.floor(cut * total)).toSorted((x, y) => x - y);
  return [a ?? 0, (b ?? 0) - (a ?? 0), (c ?? 0) - (b ?? 0), total - (c ?? 0)];
}

const part = fc.double({ min: 0, max: 1, noNaN: true });

describe('whatever is asked', () => {
  test('no usage within the bound costs more than it', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...models),
        text,
        fc.boolean(),
        fc.tuple(part, part, part),
        part,
        part,
        ([provider, model], content, cached, cuts, inputShare, outputShare) => {
          const bounded = call(provider, model, limited(provider, request(provider, content, cached), 3000));
          const bound = boundOf(bounded);
          const [uncachedInput, cacheRead, short, long] = split(Math.floor(bound.inputTokens * inputShare), cuts);
          const writes = cached && provider === 'anthropic';
          const used = {
            ...noTokens,
            uncachedInput: writes ? uncachedInput : uncachedInput + short + long,
            cacheRead,
            cacheWrite5m: writes ? short : 0,
            cacheWrite1h: writes ? long : 0,
            output: Math.floor(bound.outputTokens * outputShare),
            raw: null,
          };
          return costOf(used, bounded.price).cost <= bound.cost;
        },
      ),
      run,
    );
  });

  test('it holds for prices that are no whole pico-dollars', () => {
    const thirds = fc.record({
      numerator: fc.bigInt({ min: 0n, max: 50n }),
      denominator: fc.bigInt({ min: 1n, max: 7n }),
    });
    fc.assert(
      fc.property(thirds, thirds, thirds, fc.nat(40), fc.nat(40), (input, cacheRead, output, a, b) => {
        const step = (pico: Price['rates'] extends object ? typeof input : never) => ({
          above: -1,
          usd: '',
          per: 1,
          pico,
        });
        const price: Price = {
          ...call('openai', 'gpt-4o', hello).price,
          rates: { input: [step(input)], cacheRead: [step(cacheRead)], output: [step(output)] },
        };
        const bound = boundOf({ ...call('openai', 'gpt-4o', asked({ max_tokens: 3 })), price });
        return costOf({ ...noTokens, uncachedInput: a, cacheRead: b, output: 3, raw: null }, price).cost <= bound.cost;
      }),
      run,
    );
  });

  test('a lowered request has the bound that was promised, within what was there', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...models),
        text,
        fc.option(fc.integer({ min: 1, max: 60_000 }), { nil: undefined }),
        fc.bigInt({ min: 0n, max: 2n * 10n ** 12n }),
        ([provider, model], content, limit, available) => {
          const body = request(provider, content, false);
          const full = call(provider, model, limit === undefined ? body : limited(provider, body, limit));
          const lowered = lowerOutput(full, available);
          if (lowered === undefined) return boundOf(full).cost > available;
          const again = call(provider, model, limited(provider, full.body, lowered.maxTokens));
          return (
            lowered.bound.cost <= available &&
            lowered.maxTokens <= boundOf(full).maxTokens &&
            boundOf({ ...again, bodyBytes: full.bodyBytes }).cost === lowered.bound.cost
          );
        },
      ),
      run,
    );
  });
});
