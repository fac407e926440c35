import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EstimateFlag } from '../../money/estimate.ts';
import { catalogueOf, freeCallsOf, providers } from '../../providers/index.ts';
import type { RelayEnd } from '../../proxy/relay.ts';
import { usage as texts } from '../ui/en/usage.ts';
import { isFree, kindOf } from './kinds.ts';

describe('every endpoint that can be called', () => {
  const endpoints = providers.flatMap(({ id, endpoints: rows }) =>
    rows.map(({ method, path }) => [`${id} ${method} ${path}`, `${method} ${path}`] as const),
  );

  test.each(endpoints)('%s has a name, and is free where the provider’s table says so', (call, endpoint) => {
    expect(kindOf(endpoint)).toBeDefined();
    expect(isFree(endpoint)).toBe(freeCallsOf(catalogueOf()).includes(call));
  });

  test('one that is not known is shown as it is', () => {
    expect(kindOf('POST /v1/videos')).toBeUndefined();
    expect(isFree('GET /v1/videos')).toBe(false);
  });
});

describe('every flag has a sentence', () => {
  // Types of the code that writes flags: a new one that is missing here does not compile.
  const ends: Record<`ended_${Exclude<RelayEnd, 'complete'>}`, true> = {
    ended_left: true,
    ended_cut: true,
    ended_broken: true,
  };
  const estimates: Record<EstimateFlag, true> = {
    input_counted: true,
    output_counted: true,
    output_at_most: true,
    output_unread: true,
    bounded_by_bytes: true,
  };

  test.each([...Object.keys(ends), ...Object.keys(estimates)])('%s', (flag) => {
    expect(texts.flags[flag]).toEndWith('.');
  });

  test('the same ones that docs/usage.md explains', () => {
    const page = readFileSync(join(import.meta.dir, '../../../docs/usage.md'), 'utf8');
    const table = /\| flag \| says \|\n(?:\|.*\|\n)+/.exec(page)?.[0] ?? '';
    const documented = [...table.matchAll(/(?<=^\|[^|]*`)[a-z_]+(?=`)/gm)].map(([flag]) => flag);
    expect(documented.length).toBeGreaterThan(10);
    expect(Object.keys(texts.flags).toSorted()).toEqual(documented.toSorted());
  });
});
