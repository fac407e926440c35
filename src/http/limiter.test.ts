import { expect, test } from 'bun:test';
import { addressGroup, clientAddress } from './address.ts';
import { Limiter } from './limiter.ts';

function refusal(limiter: Limiter, name = 'ada'): unknown {
  try {
    limiter.take(name);
    return null;
  } catch (error) {
    return error;
  }
}

test('a burst, then one for each span of time', () => {
  let now = 0;
  const limiter = new Limiter(3, 6000, () => now);
  expect([1, 2, 3].map(() => refusal(limiter))).toEqual([null, null, null]);
  expect(refusal(limiter)).toMatchObject({ code: 'too_many_attempts', retryAfter: 6 });
  now = 5000;
  expect(refusal(limiter)).toMatchObject({ retryAfter: 1 });
  now = 6000;
  expect([refusal(limiter), refusal(limiter)]).toMatchObject([null, { retryAfter: 6 }]);
  now = 1_000_000;
  expect([1, 2, 3, 4].map(() => refusal(limiter))).toMatchObject([null, null, null, { code: 'too_many_attempts' }]);
});

test('one name says nothing about another', () => {
  const limiter = new Limiter(1, 1000, () => 0);
  expect([refusal(limiter, 'ada'), refusal(limiter, 'bob')]).toEqual([null, null]);
});

test('refused attempts do not lengthen the wait', () => {
  let now = 0;
  const limiter = new Limiter(1, 1000, () => now);
  for (let attempt = 0; attempt < 50; attempt++) refusal(limiter);
  now = 1000;
  expect(refusal(limiter)).toBeNull();
});

test('a client is an IPv4 address, or the /64 of an IPv6 one', () => {
  expect(addressGroup('203.0.113.7')).toBe('203.0.113.7');
  expect(addressGroup('::ffff:203.0.113.7')).toBe('203.0.113.7');
  expect(addressGroup('2001:db8::1')).toBe(addressGroup('2001:db8:0:0:ffff::2'));
  expect(addressGroup('2001:db8::1')).not.toBe(addressGroup('2001:db8:0:1::1'));
  expect(addressGroup('nonsense')).toBe('unknown');
});

const behind = (header: string) => new Request('http://localhost', { headers: { 'x-forwarded-for': header } });

test('X-Forwarded-For is believed from trusted proxies only, and from the right', () => {
  const trusted = ['10.0.0.0/8', '::1/128'];
  expect(clientAddress(behind('198.51.100.1'), '203.0.113.7', [])).toBe('203.0.113.7');
  expect(clientAddress(behind('198.51.100.1'), '203.0.113.7', trusted)).toBe('203.0.113.7');
  expect(clientAddress(behind('198.51.100.1'), '10.1.2.3', trusted)).toBe('198.51.100.1');
  expect(clientAddress(behind('198.51.100.1'), '::ffff:10.1.2.3', trusted)).toBe('198.51.100.1');
  expect(clientAddress(behind('192.0.2.66, 198.51.100.1, 10.9.9.9'), '10.1.2.3', trusted)).toBe('198.51.100.1');
  expect(clientAddress(behind('192.0.2.66, unknown'), '::1', trusted)).toBe('::1');
  expect(clientAddress(behind(''), '10.1.2.3', trusted)).toBe('10.1.2.3');
});
