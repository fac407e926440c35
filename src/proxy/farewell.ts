/** A reset discards what is not written yet, and what the client has not read: what came before it gets this much time. */
const farewellMs = 50;

/** How a stream ends that breaks off: all that came before goes out first, an event that says why perhaps the last of it. */
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
    await this.fail(controller, this.#failure);
    return true;
  }

  /** Fails without a word. An answer that has not begun begins all the same: its status is the provider's. */
  async fail(controller: ReadableStreamDefaultController<Uint8Array>, failure: Error): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, farewellMs));
    controller.error(failure);
  }
}
