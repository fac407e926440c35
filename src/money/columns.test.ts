import { expect, test } from 'bun:test';
import { eachDatabase } from '../../test/harness/databases.ts';
import { jsonLines, plainArray, textArray } from './columns.ts';

eachDatabase((_kind, open) => {
  test('what goes in as columns comes out as it was', async () => {
    const { sql } = await open();
    const texts = [null, '', 'null', 'NULL', '{"', '\\,', 'a,b}', ' \n\t', '"\\"', "';--", 'é\u{1f511}'];
    const values = texts.map((text, index) => (index === 0 ? null : { [text ?? '']: [text, { null: null }] }));
    const numbers = texts.map((_text, index) => (index === 0 ? null : BigInt(index) - 2n ** 62n));
    const rows = await sql<{ text: string | null; number: bigint | null | undefined; value: unknown }[]>`
      select text, number, value::json as value from unnest(${textArray(texts)}::text::text[],
        ${plainArray(numbers)}::text::bigint[], string_to_array(${jsonLines(values)}, E'\n', 'null'))
        as given (text, number, value)`;
    expect([...rows]).toEqual(texts.map((text, index) => ({ text, number: numbers[index], value: values[index] })));
  });

  test('one row of nothing is one row', async () => {
    const { sql } = await open();
    const rows = await sql`
      select text, value from unnest(${textArray([null])}::text::text[],
        string_to_array(${jsonLines([null])}, E'\n', 'null')) as given (text, value)`;
    expect([...rows]).toEqual([{ text: null, value: null }]);
  });
});
