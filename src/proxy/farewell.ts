/** A reset discards what is not written yet, and what the client has not read: the last event gets this much time. */
const farewellMs = 50;

/** How a stream ends that KeyPass breaks off: first with the event that says why, then with a failure. */
export class Farewell {
  #failure: Error | undefined;

  /** Sends the last event. The pull that follows it fails. */
  say(controller: ReadableStreamDefaultController<Uint8Array>, event: Uint8Array, failure: Error): void {
    this.#failure = failure;
    controller.enqueue(event);
  }

  /** False while the stream goes on; else this pull is its last. */
  async hasEnded(controller: ReadableStreamDefaultController<Uint8Array>): Promise<boolean> {
    if (this.#failure === undefined) return false;
    await new Promise((resolve) => setTimeout(resolve, farewellMs));
    controller.error(this.#failure);
    return true;
  }
}
