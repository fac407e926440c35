/** Asks a person, in a KeyPass window, to let this app use their AI keys. Nothing happens on import. */
import { create } from './handler.ts';
import { resume } from './redirect.ts';

export type { LinkCallbacks, LinkError, LinkHandler, LinkOptions, LinkSuccess } from './types.ts';

export const KeyPass = { create, resume };
