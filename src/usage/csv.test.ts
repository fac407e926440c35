import { describe, expect, test } from 'bun:test';
import { csvLine } from './csv.ts';

test('a line of RFC 4180: commas between, CRLF after, quotes where needed', () => {
  expect(csvLine(['a', 1, null, undefined, '', '0.000001'])).toBe('a,1,,,,0.000001\r\n');
  expect(csvLine(['a,b', 'say "hi"', 'two\nlines', 'ä€😀'])).toBe('"a,b","say ""hi""","two\nlines",ä€😀\r\n');
});

test('numbers stay numbers', () => {
  expect(csvLine([-1, 1e21, 0])).toBe('-1,1e+21,0\r\n');
});

describe('text that a spreadsheet would run', () => {
  test.each(['=1+1', '+1', '-1', '@sum', '=cmd|x', '＝1', '＋1', '－1', '＠x', '\t=1', '\r=1'])(
    '%j is defused',
    (text) => {
      expect(csvLine([text]).replace(/^"/, '')).toStartWith("'");
    },
  );

  test('behind what another program takes for the end of a cell', () => {
    expect(csvLine(['a;=1', 'b\n=1', 'c\t+1'])).toBe(`"a;'=1","b\n'=1","c\t'+1"\r\n`);
  });

  test('and only there', () => {
    const harmless = ['gpt-4o', 'a=b', 'me@example.com', 'POST /v1/x', '1-2', 'a; b', 'gpt-4o-mini+x'];
    for (const text of harmless) expect(csvLine([text]).replaceAll('"', '')).toBe(`${text}\r\n`);
  });
});
