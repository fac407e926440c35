import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createServer, type Server } from 'node:https';
import { createCertificate, type TestCertificate } from '../../test/harness/certificate.ts';
import { startRecorder, type Recorder } from '../../test/harness/upstream.ts';
import { post, resolveHost, type PostRequest } from './post.ts';

/** A name that no name server knows: a connection can only have gone to the address that was given. */
const name = 'hooks.invalid';
let certificate: TestCertificate;
let server: Server;
let port: number;
let plain: Recorder;
const seen: { host: string | undefined; path: string | undefined; body: string; type: string | undefined }[] = [];

beforeAll(async () => {
  plain = startRecorder(() => new Response(null, { status: 201 }));
  certificate = await createCertificate(name);
  server = createServer(certificate, (request, response) => {
    let body = '';
    request.on('data', (chunk: Uint8Array) => (body += Buffer.from(chunk).toString()));
    request.on('end', () => {
      seen.push({ host: request.headers.host, path: request.url, body, type: request.headers['content-type'] });
      response.writeHead(request.url === '/broken' ? 500 : 204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
});

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await plain.stop();
});

const send = (url: string, overrides: Partial<PostRequest> = {}) =>
  post({
    url: new URL(url),
    addresses: ['127.0.0.1'],
    headers: { 'content-type': 'application/json' },
    body: '{"é":"😀"}',
    signal: AbortSignal.timeout(10_000),
    ca: certificate.cert,
    ...overrides,
  });

const codeOf = (sent: Promise<unknown>) =>
  sent.then(
    () => 'sent',
    (error: unknown) => String(error instanceof Error && 'code' in error ? error.code : error),
  );

test('goes to the address that is given, under the name of the URL', async () => {
  expect(await send(`https://${name}:${port}/hook?x=1`)).toBe(204);
  const type = 'application/json';
  expect(seen).toEqual([{ host: `${name}:${port}`, path: '/hook?x=1', body: '{"é":"😀"}', type }]);
  expect(await send(`https://${name}:${port}/broken`)).toBe(500);
  expect(await send(plain.origin.replace('127.0.0.1', name))).toBe(201);
});

test('the certificate must be of that name, and of an authority that is trusted', async () => {
  expect(await codeOf(send(`https://other.invalid:${port}/`))).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  expect(await codeOf(send(`https://127.0.0.1:${port}/`))).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  const untrusted = post({
    url: new URL(`https://${name}:${port}/`),
    addresses: ['127.0.0.1'],
    headers: {},
    body: '',
    signal: AbortSignal.timeout(10_000),
  });
  expect(await codeOf(untrusted)).toMatch(/CERT|SIGNATURE/);
  expect(seen).toHaveLength(2);
});

test('the next address is tried where the first cannot be reached', async () => {
  const { port: free } = new URL(plain.origin);
  const url = `http://${name}:${free}/`;
  expect(await send(url, { addresses: ['127.0.0.2', '127.0.0.1'] })).toBe(201);
  expect(await codeOf(send(url, { addresses: ['127.0.0.2', '127.0.0.3'] }))).toMatch(/ECONNREFUSED|EADDRNOTAVAIL/);
  expect(await codeOf(send(url, { addresses: [] }))).toBe('Error: no address');
});

test('names of this machine and addresses are resolved', async () => {
  for (const address of await resolveHost('localhost')) expect(['127.0.0.1', '::1']).toContain(address);
  expect(await resolveHost('127.0.0.1')).toEqual(['127.0.0.1']);
  expect(await resolveHost('::1')).toEqual(['::1']);
});
