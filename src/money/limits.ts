import table from './model-limits.json' with { type: 'json' };

/** What a model can take and give in one call, in tokens; a member that is not known is left out. */
export interface ModelLimits {
  readonly context?: number;
  readonly output?: number;
}

const models: Readonly<Record<string, Readonly<Record<string, ModelLimits>>>> = table.models;

/** A snapshot has its family's limits: "-2024-08-06", "-20250929", Google's "-001". */
const snapshot = /-(?:20\d{2}-\d{2}-\d{2}|20\d{6})$/;
const googleRevision = /-00\d$/;
/** Who serves it: "openai/gpt-oss-120b:groq". */
const serverSuffix = /:[a-z0-9-]+$/;

/**
 * The limits of a model by its own name; of a dated snapshot or a fine-tune by its family's, where the snapshot is not
 * listed itself. Undefined for any other name: a limit guessed too small would let a call cost more than was held.
 */
export function modelLimits(provider: string, model: string): ModelLimits | undefined {
  const [base, family] = modelNames(provider, model);
  return listed(provider, base) ?? listed(provider, family);
}

/**
 * Where a listed output is that of one server of several, or an advice: many models are served by whoever likes, with
 * limits of their own or with none but the context window. Of its own models each maker states a limit that holds.
 */
const withoutOwnLimit = new Set(['mistral', 'openrouter', 'xai', 'together', 'fireworks', 'huggingface']);
const limitedByMaker = /^~?(?:openai|anthropic|google)\//;

/** The most that a model may write where nothing limits it; undefined where that is not known. */
export function mostOutput(provider: string, model: string, { context, output }: ModelLimits): number | undefined {
  const holds = !withoutOwnLimit.has(provider) || (provider === 'openrouter' && limitedByMaker.test(model));
  if (holds || context === undefined) return output ?? context;
  return Math.max(output ?? 0, context);
}

/** Under which names the facts of a model may be listed: its own, or that of the model it is tuned from, then its family's. */
export function modelNames(provider: string, model: string): [base: string, family: string] {
  const name = provider === 'huggingface' ? model.replace(serverSuffix, '') : withoutCollection(model);
  const base = name.startsWith('ft:') ? (/^ft:([^:]+):/.exec(name)?.[1] ?? name) : name;
  return [base, base.replace(provider === 'google' ? googleRevision : snapshot, '')];
}

/** Google's "models/gemini-2.5-flash". */
function withoutCollection(model: string): string {
  const collection = 'models/';
  return model.startsWith(collection) ? model.slice(collection.length) : model;
}

function listed(provider: string, model: string): ModelLimits | undefined {
  const ofProvider = Object.hasOwn(models, provider) ? models[provider] : undefined;
  return ofProvider !== undefined && Object.hasOwn(ofProvider, model) ? ofProvider[model] : undefined;
}
