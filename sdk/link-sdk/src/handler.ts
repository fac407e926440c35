import { type Flow, type Outcome, startRedirect } from './flow.ts';
import { parseOrigin } from './origin.ts';
import type { LinkHandler, LinkOptions } from './types.ts';
import { WindowFlow } from './window-flow.ts';

interface Entry {
  handler: LinkHandler;
  /** Later calls of `create` bring their own callbacks. */
  options: LinkOptions;
}

const entries = new Map<LinkOptions['token'], Entry>();

/**
 * A handler for one link token; the same token gives the same handler, with the newest callbacks. Touches nothing of the
 * page before `open`. Throws a TypeError if `apiBaseUrl` is not the https origin of a server (http on localhost).
 */
export function create(options: LinkOptions): LinkHandler {
  const origin = parseOrigin(options.apiBaseUrl);
  const known = entries.get(options.token);
  if (known) {
    known.options = options;
    return known.handler;
  }
  const entry: Entry = { handler: createHandler(origin, () => entry.options), options };
  entries.set(options.token, entry);
  return entry.handler;
}

function createHandler(origin: string, current: () => LinkOptions): LinkHandler {
  let flow: Flow | undefined;
  const onEnd = (outcome?: Outcome) => {
    flow = undefined;
    if (outcome?.success) current().onSuccess(outcome.success);
    else if (outcome) current().onExit?.(outcome.error);
  };
  return {
    open({ redirect = false } = {}) {
      if (flow) flow.focus();
      else if (redirect || typeof window.open !== 'function') flow = startRedirect(origin, current(), onEnd);
      else flow = new WindowFlow(origin, current, onEnd);
    },
    exit() {
      flow?.stop({});
    },
    destroy() {
      flow?.stop();
      entries.delete(current().token);
    },
  };
}
