import { lookup } from 'node:dns/promises';
import http, { type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import { connect as connectPlain, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';

export interface PostRequest {
  readonly url: URL;
  /** Of the URL's host, each checked by the caller: no name is looked up here. */
  readonly addresses: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
  /** A certificate authority in the place of the usual ones, PEM. */
  readonly ca?: string;
}

/** Bytes of an answer that are read, and thrown away, before its connection is cut. */
const mostRead = 64 * 1024;

/** No way to this address from here, or nobody there: the next one may do. */
const unreached = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL', 'EAFNOSUPPORT']);

/** All addresses of a host name, in the order of the system's resolver; of an address, itself. */
export async function resolveHost(host: string): Promise<string[]> {
  const found = await lookup(host, { all: true });
  return found.map(({ address }) => address);
}

/**
 * Sends a POST on a connection of its own to the first of the addresses that can be reached, and resolves with the
 * status of the answer. `fetch` would ask the name server again, which may say something else by now.
 */
export async function post(request: PostRequest): Promise<number> {
  let failure: unknown = new Error('no address');
  for (const address of request.addresses) {
    try {
      return await postTo(address, request);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      if (!unreached.has(code) || request.signal.aborted) throw error;
      failure = error;
    }
  }
  throw failure;
}

function postTo(address: string, { url, headers, body, signal, ca }: PostRequest): Promise<number> {
  const isSecure = url.protocol === 'https:';
  const port = Number(url.port) || (isSecure ? 443 : 80);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  // Certificates are issued for names; an address has none to announce, and is checked as what is connected to.
  const name = isIP(host) === 0 ? { servername: host } : {};
  const authority = ca === undefined ? {} : { ca };
  const createConnection = () =>
    isSecure ? connectTls({ host: address, port, ...name, ...authority }) : connectPlain({ host: address, port });
  const length = String(new TextEncoder().encode(body).length);
  const options: RequestOptions = {
    method: 'POST',
    headers: { ...headers, 'content-length': length },
    createConnection,
  };
  return new Promise((resolve, reject) => {
    let status: number | undefined;
    const sent = (isSecure ? https : http).request(url, options);
    const end = (error: Error) => {
      signal.removeEventListener('abort', abort);
      // Once there is an answer it counts, however its connection ends.
      if (status === undefined) reject(error);
      else resolve(status);
    };
    const abort = () => {
      sent.destroy();
      end(new Error('aborted'));
    };
    signal.addEventListener('abort', abort, { once: true });
    sent.on('error', end);
    sent.on('close', () => end(new Error('closed without an answer')));
    sent.on('response', (response) => {
      status = response.statusCode ?? 0;
      discard(response, abort);
    });
    sent.end(body);
    if (signal.aborted) abort();
  });
}

/** Reads an answer to its end, for the sake of those who write it, but no further than a limit: then it is cut. */
function discard(response: IncomingMessage, cut: () => void): void {
  let size = 0;
  response.on('data', (chunk: Uint8Array) => {
    size += chunk.length;
    if (size > mostRead) cut();
  });
  response.on('error', () => {});
}
