import { findProvider, type MatchLogic, type ModelInfo } from '@pydantic/genai-prices';

/** The release of the price list, for receipts; a test holds it against the installed package. */
export const catalogueVersion = '0.1.8';

/** How a model's name was found: by a name that the list states, or by a pattern that may also fit names it never saw. */
export type Match = 'exact' | 'pattern';

export interface CatalogueEntry {
  readonly info: ModelInfo;
  readonly match: Match;
}

interface ProviderIndex {
  /** By lower-case name. Built from the catalogue alone: nothing that a client sends is ever kept. */
  readonly exact: ReadonlyMap<string, ModelInfo>;
  readonly patterns: readonly { readonly info: ModelInfo; readonly test: (name: string) => boolean }[];
}

const indexes = new Map<string, ProviderIndex>();

/** A model's name as lists have it: in lower case, without Google's `models/`. */
export function plainName(model: string): string {
  return model.replace(/^models\//, '').toLowerCase();
}

/** The catalogue's entry for a model of this very provider, a stated name first, then the first pattern that fits. */
export function findEntry(provider: string, model: string): CatalogueEntry | undefined {
  const [lister, listed] = listedAs(provider, model);
  const index = indexOf(lister);
  if (index === undefined) return undefined;
  const name = plainName(listed);
  const stated = index.exact.get(name);
  if (stated !== undefined) return { info: stated, match: 'exact' };
  const fitting = index.patterns.find(({ test }) => test(name));
  return fitting === undefined ? undefined : { info: fitting.info, match: 'pattern' };
}

/** Under which names the catalogue has a provider's model, where they are others. */
function listedAs(provider: string, model: string): [lister: string, model: string] {
  if (provider === 'xai') return ['x-ai', model];
  if (provider !== 'huggingface') return [provider, model];
  // "openai/gpt-oss-120b:groq": who serves a model sets its price. Without that name, or with a policy such as
  // ":cheapest", anybody may. https://huggingface.co/docs/inference-providers
  const [, name = '', server = ''] = /^(.+):([a-z0-9-]+)$/.exec(model) ?? [];
  return [`huggingface_${server}`, name];
}

function indexOf(provider: string): ProviderIndex | undefined {
  const known = indexes.get(provider);
  if (known !== undefined) return known;
  const found = findProvider({ providerId: provider });
  // The library also answers for names that merely contain a provider's: those are other houses with other prices.
  if (found?.id !== provider) return undefined;
  const exact = new Map<string, ModelInfo>();
  for (const info of found.models) {
    for (const name of statedNames(info.match)) if (!exact.has(name)) exact.set(name, info);
  }
  const index = { exact, patterns: found.models.map((info) => ({ info, test: tester(info.match) })) };
  indexes.set(provider, index);
  return index;
}

function statedNames(match: MatchLogic): string[] {
  if ('equals' in match) return [match.equals.toLowerCase()];
  return 'or' in match ? match.or.flatMap(statedNames) : [];
}

function tester(match: MatchLogic): (name: string) => boolean {
  if ('equals' in match) return textTester(match.equals, (name, text) => name === text);
  if ('starts_with' in match) return textTester(match.starts_with, (name, text) => name.startsWith(text));
  if ('ends_with' in match) return textTester(match.ends_with, (name, text) => name.endsWith(text));
  if ('contains' in match) return textTester(match.contains, (name, text) => name.includes(text));
  if ('regex' in match) {
    const expression = new RegExp(match.regex);
    return (name) => expression.test(name);
  }
  const all = 'and' in match;
  const parts = (all ? match.and : match.or).map(tester);
  return all ? (name) => parts.every((test) => test(name)) : (name) => parts.some((test) => test(name));
}

function textTester(text: string, compare: (name: string, text: string) => boolean) {
  const lower = text.toLowerCase();
  return (name: string) => compare(name, lower);
}
