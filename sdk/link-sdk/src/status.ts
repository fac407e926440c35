import type { LinkError } from './types.ts';

const pause = 2000;

const ends: Record<string, LinkError | undefined> = {
  denied: { code: 'denied', message: 'The person refused' },
  expired: { code: 'link_token_expired', message: 'The link session has expired' },
  approved: { code: 'completed_elsewhere', message: 'Approved; the result went to the redirect URI' },
  exchanged: { code: 'completed_elsewhere', message: 'Approved; the result went to the redirect URI' },
};

/**
 * Asks for the session's status until it has ended, for pages that have lost their window's handle. The status is all
 * that polling tells, never a token. Returns a function that stops it.
 */
export function pollStatus(origin: string, token: string, onEnd: (error: LinkError) => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stopped = false;
  const ask = async () => {
    const status = await readStatus(origin, token).catch(() => undefined);
    if (stopped) return;
    const end = ends[status ?? ''];
    if (end) onEnd(end);
    else timer = setTimeout(() => void ask(), pause);
  };
  void ask();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

/** GET /v1/link/session → `{success: true, data: {status, expiresAt}}`; a token that no longer counts has expired. */
async function readStatus(origin: string, token: string): Promise<string | undefined> {
  const response = await fetch(`${origin}/v1/link/session`, {
    headers: { authorization: `Bearer ${token}` },
    cache: 'no-store',
    credentials: 'omit',
    referrerPolicy: 'no-referrer',
  });
  if (response.status === 401) return 'expired';
  const { data }: { data?: { status?: string } } = await response.json();
  return data?.status;
}
