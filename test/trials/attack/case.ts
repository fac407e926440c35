/** One attack: what is sent on a connection of its own, and everything that may come of it. */
export interface Case {
  readonly name: string;
  /** The bytes as latin-1 text, with the words of {@link Words} filled in. */
  readonly send: string;
  /**
   * Each answer, by its status and KeyPass's code (`403 endpoint_not_allowed`); without a code it is not KeyPass that
   * refuses. `closed`: the connection ends without an answer. Empty: nothing comes until the client goes.
   */
  readonly answers: readonly string[];
  /** All that may reach a provider, in this order. */
  readonly arrives: readonly Arrival[];
  /** What the provider answers, byte for byte, before it closes; absent: a success of its own. */
  readonly told?: string;
  /** It does not close: what it says too much would be there for the next call. */
  readonly staysOpen?: true;
  /** What the answers must have (`has`) and must not have (`lacks`), in head or body. */
  readonly has?: readonly string[];
  readonly lacks?: readonly string[];
  /** Something may still come after the last answer that is expected: it is waited for. */
  readonly lingers?: true;
  /** The answer is a provider's own and says what it likes, secrets among it. */
  readonly quotes?: true;
  /** It does not come as it should, and this is what is known of it. */
  readonly finding?: string;
}

/** A request as a provider has to see it: these headers, the provider's own key, and nothing else. */
export interface Arrival {
  readonly provider: string;
  /** Method and path. */
  readonly line: string;
  /** Besides those that every call has. A value of `*` is any. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Absent: the very bytes that the client sent. `*`: any, where KeyPass writes them. */
  readonly body?: string;
  /** The body comes in chunks, because nobody has announced its length. */
  readonly isChunked?: true;
}

export interface Family {
  readonly name: string;
  readonly cases: readonly Case[];
}

/** What the corpus cannot know: each stands in a case as its name after a dollar sign. */
const words = [
  'HOST',
  'PORT',
  'SINK',
  'MARK',
  'TOKEN',
  'NARROW',
  'FULL',
  'PAUSED',
  'REVOKED',
  'SESSION',
  'SECRET',
  'LINK',
  'PUBLIC',
  'OTHER',
  'KEY',
] as const;

export type Words = Readonly<Record<(typeof words)[number], string>>;

export function fill(text: string, filled: Words): string {
  return text.replaceAll(/\$([A-Z]+)/g, (whole, name: string) =>
    words.reduce((found, word) => (word === name ? filled[word] : found), whole),
  );
}

/** The bytes of a message; `$LENGTH` is that of all that follows its head. */
export function render(message: string, filled: Words): Buffer {
  const text = fill(message, filled);
  const body = text.slice(text.indexOf('\r\n\r\n') + 4);
  return Buffer.from(text.replace('$LENGTH', String(body.length)), 'latin1');
}
