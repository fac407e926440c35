import type { Config } from '../config.ts';
import { exit, writeErrorLine } from '../runtime/process.ts';
import { settings } from './settings.ts';

const patienceMs = 2500;

/** `keypass health`: whether the server with these settings answers, by the exit code. For containers without a shell. */
export async function healthCommand(): Promise<void> {
  const config = await settings();
  try {
    const host = new URL(config.origin).host;
    const response = await fetch(addressOf(config), { headers: { host }, signal: AbortSignal.timeout(patienceMs) });
    if (!response.ok) throw new Error(`It answered with ${response.status}.`);
  } catch (error) {
    writeErrorLine(`KeyPass is not healthy: ${error instanceof Error ? error.message : 'no answer'}`);
    exit(1);
  }
}

/** A server that listens everywhere is reached over the loopback. */
function addressOf({ hostname, port }: Config): string {
  const everywhere: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '[::1]' };
  const host = everywhere[hostname] ?? (hostname.includes(':') ? `[${hostname}]` : hostname);
  return `http://${host}:${port}/healthz`;
}
