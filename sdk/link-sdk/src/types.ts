/** What the person approved. */
export interface LinkSuccess {
  /** For `exchangePublicToken` on your server, within 10 minutes; null in update mode, where the access token stays. */
  publicToken: string | null;
  connectionId: string;
}

/** Why a link ended without approval; `code` is stable. */
export interface LinkError {
  code: string;
  message: string;
}

export interface LinkCallbacks {
  onSuccess: (result: LinkSuccess) => void;
  /** Without an error the person closed the window or cancelled. */
  onExit?: (error?: LinkError) => void;
}

export interface LinkOptions extends LinkCallbacks {
  /** The `linkToken` of `createLinkSession`, or a function that fetches one when the window opens. */
  token: string | (() => string | Promise<string>);
  /** The origin of the KeyPass server, like `https://keypass.example.com`. */
  apiBaseUrl: string;
  /** Progress, for your own analytics: `opened`, `unlocked`, `approved`, `blocked` and others. */
  onEvent?: (name: string) => void;
}

export interface LinkHandler {
  /**
   * Opens the KeyPass window; call it in a click. Again while it is open: brings it to the front. With `redirect` this
   * page itself goes to KeyPass and the result comes back to the session's `redirectUri`: call `KeyPass.resume` there.
   */
  open(options?: { redirect?: boolean }): void;
  /** Closes the window and fires `onExit` if a link is under way. */
  exit(): void;
  /** Closes the window without any callback and forgets the handler. */
  destroy(): void;
}
