import { describe, expect, test } from 'bun:test';
import { KeyPassError } from '../errors.ts';
import { WebhookTargets } from './targets.ts';

const far = new WebhookTargets({ origin: 'https://keys.example', allowedHosts: [] });
const near = new WebhookTargets({ origin: 'http://localhost:8787', allowedHosts: [] });

function isTaken(targets: WebhookTargets, url: string): boolean {
  try {
    targets.check(url);
    return true;
  } catch (error) {
    if (error instanceof KeyPassError && error.code === 'invalid_request' && error.param === 'webhookUrl') return false;
    throw error;
  }
}

describe('URLs', () => {
  test.each([
    'https://app.example/hook?x=1',
    'https://app.example:8443/',
    'https://93.184.215.14/',
    'https://[2606:4700::1]/',
  ])('takes %s', (url) => expect(isTaken(far, url)).toBe(true));

  test.each([
    '',
    'hook',
    '/hook',
    'http://app.example/',
    'ftp://app.example/',
    'javascript:alert(1)',
    'https://a:b@app.example/',
    'https://a@app.example/',
    'https://app.example/#x',
    'https://app.example/#',
    'https://app.example:0/',
    'https://localhost/',
    'https://LOCALHOST./',
    'https://app.localhost/',
    'https://127.0.0.1/',
    'https://127.1/',
    'https://0x7f000001/',
    'https://2130706433/',
    'https://0177.0.0.1/',
    'https://10.0.0.1/',
    'https://169.254.169.254/latest/meta-data/',
    'https://[::1]/',
    'https://[::]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[fd00::1]/',
  ])('refuses %p', (url) => expect(isTaken(far, url)).toBe(false));

  test('this machine is for a server that only this machine reaches', () => {
    for (const url of [
      'http://localhost:3000/hook',
      'http://127.0.0.1:3000/',
      'http://[::1]:3000/',
      'https://localhost/',
    ])
      expect(isTaken(near, url), url).toBe(true);
    for (const url of ['http://app.example/', 'http://10.0.0.1/', 'https://10.0.0.1/', 'https://192.168.1.1/'])
      expect(isTaken(near, url), url).toBe(false);
  });
});

describe('addresses', () => {
  const hook = new URL('https://app.example/hook');

  test.each(['93.184.215.14', '8.8.8.8', '2606:4700::6810:84e5', '2a00:1450:4001:80b::200e'])('allows %s', (address) =>
    expect(far.allowsAddress(hook, address)).toBe(true),
  );

  test.each([
    ['this network', '0.0.0.0'],
    ['this network', '0.1.2.3'],
    ['private', '10.1.2.3'],
    ['private', '172.16.0.1'],
    ['private', '172.31.255.255'],
    ['private', '192.168.0.1'],
    ['CGNAT', '100.64.0.1'],
    ['CGNAT', '100.127.255.255'],
    ['loopback', '127.0.0.1'],
    ['loopback', '127.255.255.254'],
    ['link-local', '169.254.169.254'],
    ['protocol assignments', '192.0.0.8'],
    ['documentation', '192.0.2.1'],
    ['6to4 relay', '192.88.99.1'],
    ['benchmarking', '198.18.0.1'],
    ['documentation', '198.51.100.1'],
    ['documentation', '203.0.113.1'],
    ['multicast', '224.0.0.1'],
    ['multicast', '239.255.255.250'],
    ['reserved', '240.0.0.1'],
    ['broadcast', '255.255.255.255'],
    ['unspecified', '::'],
    ['loopback', '::1'],
    ['mapped', '::ffff:127.0.0.1'],
    ['mapped', '::ffff:8.8.8.8'],
    ['mapped, in hexadecimal', '::ffff:7f00:1'],
    ['compatible', '::127.0.0.1'],
    ['translated', '::ffff:0:127.0.0.1'],
    ['NAT64', '64:ff9b::7f00:1'],
    ['NAT64, local', '64:ff9b:1::a00:1'],
    ['discard', '100::1'],
    ['Teredo', '2001::1'],
    ['benchmarking', '2001:2::1'],
    ['ORCHID', '2001:20::1'],
    ['documentation', '2001:db8::1'],
    ['documentation', '3fff::1'],
    ['6to4', '2002:7f00:1::1'],
    ['segment routing', '5f00::1'],
    ['not given out', '4000::1'],
    ['unique local', 'fc00::1'],
    ['unique local', 'fd12:3456::1'],
    ['link-local', 'fe80::1'],
    ['link-local with a zone', 'fe80::1%eth0'],
    ['site-local', 'fec0::1'],
    ['multicast', 'ff02::1'],
    ['no address', 'app.example'],
    ['no address', ''],
  ])('refuses %s: %s', (_range, address) => expect(far.allowsAddress(hook, address)).toBe(false));

  test('a local server calls loopback by its own names, never by one that only leads there', () => {
    expect(near.allowsAddress(new URL('http://localhost:3000/'), '127.0.0.1')).toBe(true);
    expect(near.allowsAddress(new URL('http://localhost:3000/'), '::1')).toBe(true);
    expect(near.allowsAddress(new URL('http://localhost:3000/'), '10.0.0.1')).toBe(false);
    expect(near.allowsAddress(new URL('http://localhost:3000/'), '93.184.215.14')).toBe(false);
    expect(near.allowsAddress(hook, '127.0.0.1')).toBe(false);
    expect(far.allowsAddress(new URL('https://localhost/'), '127.0.0.1')).toBe(false);
  });
});

describe("the operator's list", () => {
  const allowedHosts = ['Hooks.internal', '10.1.0.0/16', '192.168.7.7', 'fd00:1::/32'];
  const some = new WebhookTargets({ origin: 'https://keys.example', allowedHosts });

  test('a host by name, over http too and wherever it leads', () => {
    expect(isTaken(some, 'http://hooks.internal:3000/hook')).toBe(true);
    expect(some.allowsAddress(new URL('http://hooks.internal/'), '172.16.0.9')).toBe(true);
    expect(isTaken(some, 'http://other.internal/')).toBe(false);
    expect(isTaken(some, 'http://hooks.internal.example/')).toBe(false);
  });

  test('an address and a range, by name over https alone', () => {
    expect(isTaken(some, 'http://192.168.7.7/')).toBe(true);
    expect(isTaken(some, 'http://192.168.7.8/')).toBe(false);
    expect(isTaken(some, 'http://[fd00:1::9]/')).toBe(true);
    expect(isTaken(some, 'http://app.example/')).toBe(false);
    const hook = new URL('https://app.example/');
    expect(some.allowsAddress(hook, '10.1.2.3')).toBe(true);
    expect(some.allowsAddress(hook, '10.2.2.3')).toBe(false);
    expect(some.allowsAddress(hook, 'fd00:1::9')).toBe(true);
    expect(some.allowsAddress(hook, 'fd00:2::9')).toBe(false);
    expect(some.allowsAddress(hook, '8.8.8.8')).toBe(true);
  });
});
