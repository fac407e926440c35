/**
 * A batch travels as one parameter for each column, so that its statement is the same for any number of rows and is
 * planned once. Array literals (https://www.postgresql.org/docs/15/arrays.html#ARRAYS-IO) are read in a third of the
 * time that PostgreSQL needs for the same rows as JSON.
 */

/** The literal of an array of numbers, identifiers, dates or booleans: nothing that would need quotes. */
export function plainArray(values: readonly (string | number | bigint | boolean | null)[]): string {
  return `{${values.map(String).join()}}`;
}

/** The literal of an array of any texts. */
export function textArray(values: readonly (string | null)[]): string {
  return `{${values.map(quoted).join()}}`;
}

/** One line of JSON for each value, for `string_to_table(…, E'\n', 'null')`: JSON has no raw line breaks. */
export function jsonLines(values: readonly (object | null)[]): string {
  let [before, text]: [object | null, string] = [null, 'null'];
  return values
    .map((value) => {
      // Calls at the same price share it.
      if (value !== before) [before, text] = [value, JSON.stringify(value)];
      return text;
    })
    .join('\n');
}

const special = /["\\]/g;

function quoted(text: string | null): string {
  if (text === null) return 'null';
  return `"${text.replace(special, String.raw`\$&`)}"`;
}
