import { modelNames } from '../../money/limits.ts';

/** What a Claude model takes that others don't. */
export interface ClaudeTraits {
  /** `budget`: so many tokens. `adaptive`: as much as it thinks right, steered by an effort. */
  readonly thinking: 'never' | 'budget' | 'adaptive';
  /** How it is kept from thinking: it does not by itself, it can be told, or nothing helps. */
  readonly off: 'unasked' | 'disabled' | 'never';
  readonly xhigh: boolean;
  /** Temperature and top_p of any value, not just the default. */
  readonly sampling: boolean;
  /** Whether a tool can be demanded. */
  readonly forcedTools: boolean;
  /** JSON schemas for answers and strict tools. */
  readonly schemas: boolean;
  /** System messages after the first turn. */
  readonly laterSystem: boolean;
}

/** A model that is not known takes everything as far as KeyPass can tell; what it doesn't, Anthropic refuses. */
const current: ClaudeTraits = {
  thinking: 'adaptive',
  off: 'disabled',
  xhigh: true,
  sampling: true,
  forcedTools: true,
  schemas: true,
  laterSystem: true,
};

const version3 = { ...current, thinking: 'never', off: 'unasked', schemas: false, laterSystem: false } as const;
const version37 = { ...version3, thinking: 'budget' } as const;
const version41 = { ...version37, schemas: true } as const;
const version46 = { ...version41, thinking: 'adaptive', xhigh: false } as const;
const version47 = { ...version46, xhigh: true, sampling: false } as const;
const version48 = { ...version47, laterSystem: true } as const;
const version5 = { ...version48, off: 'disabled' } as const;
const alwaysThinking = { ...version5, off: 'never' } as const;
const neverForced = { ...alwaysThinking, forcedTools: false } as const;

/**
 * By family, without the date of a snapshot.
 * https://platform.claude.com/docs/en/build-with-claude/thinking · …/effort · …/structured-outputs
 * · …/mid-conversation-system-messages · https://platform.claude.com/docs/en/about-claude/models/migration-guide
 */
const families: Readonly<Record<string, ClaudeTraits>> = {
  'claude-3-haiku': version3,
  'claude-3-sonnet': version3,
  'claude-3-opus': version3,
  'claude-3-5-haiku': version3,
  'claude-3-5-sonnet': version3,
  'claude-3-7-sonnet': version37,
  'claude-sonnet-4': version37,
  'claude-sonnet-4-0': version37,
  'claude-opus-4': version37,
  'claude-opus-4-0': version37,
  'claude-opus-4-1': version41,
  'claude-haiku-4-5': version41,
  'claude-sonnet-4-5': version41,
  'claude-opus-4-5': version41,
  'claude-sonnet-4-6': version46,
  'claude-opus-4-6': version46,
  'claude-opus-4-7': version47,
  'claude-opus-4-8': version48,
  'claude-sonnet-5': version5,
  'claude-opus-5': version5,
  'claude-fable-5': alwaysThinking,
  'claude-mythos-5': alwaysThinking,
  'claude-fable-5-1': neverForced,
  'claude-mythos-5-1': neverForced,
  'claude-fable-5-2': neverForced,
  'claude-mythos-5-2': neverForced,
  'claude-haiku-5-5': version5,
  'claude-sonnet-5-5': neverForced,
  'claude-opus-5-5': neverForced,
};

export function traitsOf(model: string): ClaudeTraits {
  const [, family] = modelNames('anthropic', model);
  return (Object.hasOwn(families, family) ? families[family] : undefined) ?? current;
}
