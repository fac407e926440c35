/** Writes one line; the runtime decides where. */
export type WriteLine = (line: string) => void;

/**
 * The log: JSON lines made of an allow-list of facts. Never a URL, header, body or error message, because each of those
 * can hold what a caller sent.
 */
export class Log {
  readonly #write: WriteLine;

  constructor(write: WriteLine) {
    this.#write = write;
  }

  request(request: Request, path: string, response: Response, requestId: string, durationMs: number): void {
    const { status, headers } = response;
    this.#write(
      JSON.stringify({
        time: new Date().toISOString(),
        level: status >= 500 ? 'error' : 'info',
        event: 'request',
        requestId,
        method: request.method,
        area: areaOf(path),
        status,
        code: headers.get('x-keypass-error') ?? undefined,
        durationMs: Math.round(durationMs),
      }),
    );
  }

  /** A fault of ours: its class and where it arose, without its message. */
  fault(event: string, error: unknown, requestId?: string): void {
    const frames = error instanceof Error ? (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line)) : [];
    this.#line('error', event, {
      ...(requestId === undefined ? {} : { requestId }),
      error: error instanceof Error ? error.constructor.name : typeof error,
      ...codeOf(error),
      stack: frames.slice(0, 12).map((line) => line.trim()),
    });
  }

  /** A fact about the process, in our own words. */
  event(event: string, facts: Record<string, string | number | boolean> = {}): void {
    this.#line('info', event, facts);
  }

  #line(level: 'info' | 'error', event: string, facts: Record<string, unknown>): void {
    this.#write(JSON.stringify({ time: new Date().toISOString(), level, event, ...facts }));
  }
}

/** SQLSTATE and system codes (`23505`, `ECONNREFUSED`) say what went wrong without saying with which value. */
function codeOf(error: unknown): { errorCode?: string } {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[A-Z0-9_]{3,40}$/.test(code) ? { errorCode: code } : {};
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));
const rootAreas = words('openai anthropic google groq link vault console docs assets sdk healthz readyz metrics');
const apiAreas = words('auth keys apps link connection connections proxy providers usage tokens');

/** The part of the product that a path belongs to: fixed words only, since a path can hold anything. */
function areaOf(path: string): string {
  const [, first = '', second = ''] = path.split('/', 3);
  const [area, areas] = first === 'v1' ? [second, apiAreas] : [first, rootAreas];
  return areas.has(area) ? area : 'other';
}
