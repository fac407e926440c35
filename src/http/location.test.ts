import { expect, test } from 'bun:test';
import { locationOf } from './location.ts';

test('host and path are those that a parser finds', () => {
  for (const url of [
    'http://localhost:8787/',
    'http://localhost:8787/v1/keys',
    'https://keys.example/v1/keys?a=b/c&d=?',
    'http://[::1]:8787/a//b/?x',
    'http://127.0.0.1/a%2Fb/..%2f?',
    'http://localhost/?http://other.example/',
    'http://localhost/a@b:c',
  ]) {
    const { host, pathname } = new URL(url);
    expect(locationOf(url)).toEqual({ host, path: pathname });
  }
});

test('what is written around a host is part of it, so that it is nobody’s', () => {
  expect(locationOf('http://localhost@other.example/a').host).toBe('localhost@other.example');
  expect(locationOf('http://other.example\\localhost/a').host).toBe('other.example\\localhost');
  expect(locationOf('http://localhost?/a').host).toBe('localhost?');
  expect(locationOf('http://localhost#/a').host).toBe('localhost#');
});

test('what is no absolute URL has neither', () => {
  for (const url of ['', '/v1/keys', 'http://', 'http://localhost', 'localhost/a', '*']) {
    expect(locationOf(url)).toEqual({ host: '', path: '' });
  }
});
