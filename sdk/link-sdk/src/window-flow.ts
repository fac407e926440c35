import { openChannel } from './channel.ts';
import { fetchToken, type Flow, type OnEnd, type Outcome, tokenUnavailable } from './flow.ts';
import { type Overlay, showOverlay } from './overlay.ts';
import { linkUrl, newState } from './redirect.ts';
import { pollStatus } from './status.ts';
import type { LinkOptions } from './types.ts';

const features = 'popup,width=480,height=760';

function nothing(): void {}

/** The window form, from the click to its outcome. Must be made in the click itself: pop-up blockers look. */
export class WindowFlow implements Flow {
  readonly #origin: string;
  readonly #options: () => LinkOptions;
  readonly #onEnd: OnEnd;
  readonly #overlay: Overlay;
  /** One state for all windows of this flow; kept before the first opens, because windows copy what the tab has. */
  readonly #state = newState();
  #token: string | undefined;
  #window: Window | null = null;
  #stopChannel = nothing;
  #stopPolling = nothing;
  #ended = false;

  constructor(origin: string, options: () => LinkOptions, onEnd: OnEnd) {
    this.#origin = origin;
    this.#options = options;
    this.#onEnd = onEnd;
    const { token } = options();
    if (typeof token === 'string') this.#token = token;
    this.#overlay = showOverlay(
      new URL(origin).host,
      () => this.#press(),
      () => this.stop({}),
    );
    this.#open();
    if (this.#token === undefined) {
      this.#useFetchedToken().catch(() => this.stop({ error: tokenUnavailable }));
    }
  }

  focus(): void {
    if (this.#window && !this.#window.closed) this.#window.focus();
    else this.#open();
  }

  stop(outcome?: Outcome): void {
    this.#window?.close();
    this.#end(outcome);
  }

  #end(outcome?: Outcome): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stopChannel();
    this.#stopPolling();
    this.#overlay.remove();
    this.#onEnd(outcome);
  }

  #open(): void {
    this.#stopChannel();
    this.#stopPolling();
    // Empty while the token is fetched: a window opened later, outside the click, would be blocked.
    this.#window = window.open(this.#url() ?? 'about:blank', '_blank', features);
    this.#overlay.show(this.#window !== null);
    if (this.#window) this.#stopChannel = this.#watch(this.#window);
    else this.#options().onEvent?.('blocked');
  }

  /** The overlay's button. */
  #press(): void {
    this.focus();
    const url = this.#url();
    // Blocked even in a click: a webview without windows.
    if (!this.#window && url !== undefined) location.assign(url);
  }

  async #useFetchedToken(): Promise<void> {
    this.#token = await fetchToken(this.#options());
    const url = this.#url();
    if (!this.#ended && url !== undefined && this.#window?.closed === false) this.#window.location.replace(url);
  }

  #watch(opened: Window): () => void {
    return openChannel(opened, this.#origin, {
      onEvent: (name) => this.#options().onEvent?.(name),
      onSuccess: (success) => this.#end({ success }),
      onExit: (error) => this.#end(error ? { error } : {}),
      onClosed: (answered) => {
        if (answered) this.#end({});
        else if (this.#token !== undefined) {
          this.#stopPolling = pollStatus(this.#origin, this.#token, (error) => this.#end({ error }));
        }
      },
    });
  }

  #url(): string | undefined {
    return this.#token === undefined ? undefined : linkUrl(this.#origin, this.#token, this.#state);
  }
}
