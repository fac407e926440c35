import { describe, expect, test } from 'bun:test';
import * as fc from 'fast-check';
import { isAbsent, isObject, memberAt } from '../money/json.ts';
import { providers } from '../providers/index.ts';
import { Places } from './places.ts';

/** The same cases on every run. */
const run = { seed: 20_261_123, numRuns: 400 };

interface Found {
  readonly value: unknown;
  readonly holder: unknown;
}

/** Everything at one place, by a walk of its own: what a tree of places is held against. */
function valuesAt(body: unknown, place: string): Found[] {
  let found: Found[] = [{ value: body, holder: undefined }];
  for (const step of place.split('.')) {
    found = found.flatMap(({ value, holder }) => {
      if (step === '*') {
        return Array.isArray(value)
          ? value.map((item: unknown) => ({ value: item, holder: value }))
          : [{ value, holder }];
      }
      const snake = step.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      return [...new Set([step, snake])]
        .map((name) => memberAt(value, name))
        .filter((member) => !isAbsent(member))
        .map((member) => ({ value: member, holder: value }));
    });
  }
  return found;
}

const everyList = providers
  .flatMap(({ endpoints }) => endpoints)
  .flatMap(({ body }) => (body === undefined ? [] : [body.models, atOf(body.stateful), atOf(body.refused ?? [])]))
  .filter((list) => list.length > 0);

function atOf(rules: readonly { readonly at: string }[]): string[] {
  return rules.map(({ at }) => at);
}

const leaf = fc.constantFrom<unknown>(null, true, 'x', 7, {}, []);

/** A body that has something at the place, or nearly: lists or single values, either spelling, a null here and there. */
function bodyAt(steps: readonly string[]): fc.Arbitrary<unknown> {
  const [step, ...rest] = steps;
  if (step === undefined) return leaf;
  const inner = fc.oneof({ weight: 6, arbitrary: bodyAt(rest) }, { weight: 1, arbitrary: leaf });
  if (step === '*') return fc.oneof(fc.array(inner, { maxLength: 3 }), inner);
  const snake = step.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return fc.record({ [step]: inner, [snake]: inner, other: leaf }, { requiredKeys: [] });
}

const listAndBody = fc
  .constantFrom(...everyList)
  .chain((list) => fc.tuple(fc.constant(list), fc.array(fc.constantFrom(...list), { minLength: 1, maxLength: 3 })))
  .chain(([list, places]) => fc.tuple(fc.constant(list), fc.tuple(...places.map((place) => bodyAt(place.split('.'))))))
  .map(([list, bodies]) => [list, Object.assign({}, ...bodies.filter(isObject))] as const);

describe('a tree of places', () => {
  test('finds at all places of every table what a walk of each place finds', () => {
    fc.assert(
      fc.property(listAndBody, ([list, body]) => {
        const seen: unknown[] = [];
        new Places(list, (place) => place).find(body, (place, value, holder) => {
          seen.push([place, value, holder]);
          return false;
        });
        const walked = list.flatMap((place) =>
          valuesAt(body, place).map(({ value, holder }) => [place, value, holder]),
        );
        expect(sorted(seen)).toEqual(sorted(walked));
      }),
      run,
    );
  });

  test('names the first rule of the list that applies, wherever in the body its value comes', () => {
    fc.assert(
      fc.property(listAndBody, fc.constantFrom<unknown>('x', true, 7), ([list, body], wanted) => {
        const found = new Places(list, (place) => place).find(body, (_, value) => value === wanted);
        expect(found).toBe(list.find((place) => valuesAt(body, place).some(({ value }) => value === wanted)));
      }),
      run,
    );
  });

  test('goes by the order of the list where the walk comes to a later rule first', () => {
    const body = { input: [{ id: 'a' }], store: true };
    const first = (list: readonly string[]) => new Places(list, (place) => place).find(body, () => true);
    expect(first(['input.*.type', 'store', 'input.*.id'])).toBe('store');
    expect(first(['input.*.type', 'input.*.id', 'store'])).toBe('input.*.id');
  });

  test('tells what holds a value: the list of its items, the object of a single one', () => {
    const list = ['a'];
    for (const [body, expected] of [
      [{ names: list }, list],
      [{ names: 'a' }, { names: 'a' }],
    ]) {
      const holders: unknown[] = [];
      new Places(['names.*'], (place) => place).find(body, (_, __, holder) => {
        holders.push(holder);
        return false;
      });
      expect(holders).toEqual([expected]);
    }
  });

  test('takes a single value for a list of one, both spellings, and no inherited member', () => {
    const places = new Places(['parts.*.fileUri', 'constructor.name'], (place) => place);
    const finds = (body: unknown) => places.find(body, () => true);
    expect(finds({ parts: { file_uri: 'a' } })).toBe('parts.*.fileUri');
    expect(finds({ parts: [{}, null, { fileUri: 'a' }] })).toBe('parts.*.fileUri');
    expect(finds({ parts: [{ fileUri: null }] })).toBeUndefined();
    expect(finds({})).toBeUndefined();
    expect(finds(null)).toBeUndefined();
  });
});

function sorted(found: readonly unknown[]): string[] {
  return found.map((one) => JSON.stringify(one)).toSorted();
}
