import type { ChatRequest, Message } from './protocol.ts';

/** The page, or somebody in its place, sent what this app does not take. */
export class BadRequest extends Error {
  override readonly name = 'BadRequest';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export async function readPublicToken(request: Request): Promise<string> {
  const { publicToken } = await readObject(request);
  if (typeof publicToken === 'string') return publicToken;
  throw new BadRequest('invalid_request', 'Send { publicToken }.');
}

export async function readChat(request: Request): Promise<ChatRequest> {
  const { provider, model, messages } = await readObject(request);
  const isSound = typeof provider === 'string' && typeof model === 'string' && Array.isArray(messages);
  if (isSound && messages.length > 0 && messages.every(isMessage)) return { provider, model, messages };
  throw new BadRequest('invalid_request', 'Send { provider, model, messages }.');
}

function isMessage(value: unknown): value is Message {
  if (typeof value !== 'object' || value === null || !('role' in value) || !('content' in value)) return false;
  const { role, content } = value;
  return (role === 'user' || role === 'assistant') && typeof content === 'string';
}

async function readObject(request: Request): Promise<Record<string, unknown>> {
  const body: unknown = await request.json().catch(() => null);
  if (typeof body === 'object' && body !== null) return { ...body };
  throw new BadRequest('invalid_request', 'Send JSON.');
}
