import { expect, test } from 'bun:test';
import { lines, originsOf, redirectsOf } from './addresses.ts';

test('lines are trimmed, unique and never empty', () => {
  expect(lines(' https://a.example \n\nhttps://a.example\nhttps://b.example')).toEqual([
    'https://a.example',
    'https://b.example',
  ]);
});

test('origins are written as browsers say them', () => {
  expect(originsOf(['https://App.example/', 'http://localhost:3000', 'http://[::1]:8080'])).toEqual([
    'https://app.example',
    'http://localhost:3000',
    'http://[::1]:8080',
  ]);
});

test.each(['app.example', 'http://app.example', 'https://app.example/path', 'https://a@app.example', 'javascript:1'])(
  '%p is no origin',
  (address) => {
    expect(originsOf(['https://fine.example', address])).toBeUndefined();
  },
);

test('redirects keep their exact form and have no fragment', () => {
  expect(redirectsOf(['https://app.example/Back?x=1'])).toEqual(['https://app.example/Back?x=1']);
  expect(redirectsOf(['https://app.example/#x'])).toBeUndefined();
  expect(redirectsOf(['http://app.example/'])).toBeUndefined();
});
