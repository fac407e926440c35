/** A result together with the HTTP answer it came in; the body of `response` has been read or is being streamed. */
export interface WithResponse<T> {
  data: T;
  response: Response;
  requestId: string | undefined;
}

/** A promise for the result of a call; `withResponse()` also gives the HTTP answer. */
export class CallPromise<T> extends Promise<T> {
  readonly #answer: Promise<WithResponse<T>>;

  /** `then` and `catch` give plain promises: a derived result has no HTTP answer of its own. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  constructor(answer: Promise<WithResponse<T>>) {
    super((resolve, reject) => {
      answer.then(({ data }) => resolve(data), reject);
    });
    this.#answer = answer;
  }

  withResponse(): Promise<WithResponse<T>> {
    // The caller waits for the answer instead: this promise's own rejection would go unhandled.
    this.catch(() => undefined);
    return this.#answer;
  }
}

/** A promise for a stream that can also be looped over at once: `for await (const chunk of client.chatCompletion(…))`. */
export class StreamPromise<Item, S extends AsyncIterable<Item>> extends CallPromise<S> implements AsyncIterable<Item> {
  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void, undefined> {
    yield* await this;
  }
}
