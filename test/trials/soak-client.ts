import { connect } from 'node:net';
import type { SoakPlan } from './soak-plans.ts';

/** What one client saw of its stream. */
export interface Followed {
  readonly plan: SoakPlan;
  callId: string | null;
  status: number;
  /** Bytes that it has read. */
  read: number;
  /** `whole`, `left` by itself, or `torn`. */
  end: 'running' | 'whole' | 'left' | 'torn';
}

/** Follows one stream on a bare socket, as slowly as its plan says; resolves when it has ended. */
export function follow(url: string, token: string, plan: SoakPlan, followed: Followed): Promise<void> {
  const { host, hostname, port } = new URL(url);
  const messages = [{ role: 'user', content: plan.marker }];
  const body = JSON.stringify({ model: 'gpt-4o-mini', stream: true, max_tokens: 100, messages });
  const head = [
    'POST /openai/v1/chat/completions HTTP/1.1',
    `host: ${host}`,
    `authorization: Bearer ${token}`,
    'content-type: application/json',
    `content-length: ${body.length}`,
    'connection: close',
  ];
  const socket = connect(Number(port), hostname);
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  const endsAt = performance.now() + plan.lastsMs;
  let tail = '';
  socket.on('data', (data) => {
    if (followed.callId === null) readHead(data.toString('latin1'), followed);
    followed.read += data.length;
    tail = (tail + data.toString('latin1')).slice(-64);
    if (plan.kind !== 'hose' || performance.now() > endsAt) return;
    socket.pause();
    setTimeout(() => socket.resume(), plan.pauseMs);
  });
  socket.on('error', () => socket.destroy());
  const leave = () => {
    if (followed.end !== 'running') return;
    followed.end = 'left';
    socket.destroy();
  };
  const timer = plan.leavesMs === null ? undefined : setTimeout(leave, plan.leavesMs);
  return new Promise((resolve) => {
    socket.once('close', () => {
      clearTimeout(timer);
      if (followed.end === 'running') followed.end = /\[DONE\]\s+0\r\n\r\n$/.test(tail) ? 'whole' : 'torn';
      resolve();
    });
  });
}

function readHead(text: string, followed: Followed): void {
  followed.status = Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? followed.status);
  followed.callId = /^x-request-id: (\S+)/im.exec(text)?.[1] ?? null;
}
