import type { Database } from '../../src/database/connect.ts';
import { policyScopes } from '../../src/crypto/policy.ts';
import { openVault } from '../harness/people.ts';
import { standIns, type Providers, type RecordedRequest, type StandIn } from '../harness/providers.ts';
import { startTestServer } from '../harness/server.ts';
import { Canon, differences, keyFault, requestsOf } from './compare.ts';
import {
  scenarioOf,
  type Client,
  type Feature,
  type Planned,
  type Refusal,
  type Scenario,
  type Target,
} from './scenario.ts';
import { startUpstream } from './upstream.ts';

const secrets: Readonly<Record<StandIn, string>> = {
  openai: `sk-proj-${'o'.repeat(40)}`,
  anthropic: `sk-ant-api03-${'a'.repeat(93)}AA`,
  google: `AIza${'g'.repeat(35)}`,
  groq: `gsk_${'q'.repeat(52)}`,
};

type Tokens = Readonly<Record<Refusal['by'], string>>;

/** One cell: what was found to differ, empty where nothing was. */
export interface Cell {
  readonly client: Client;
  readonly feature: Feature;
  readonly faults: readonly string[];
}

/** What one way has come to. */
interface Outcome {
  readonly result: unknown;
  readonly hasFailed: boolean;
  readonly canon: Canon;
  readonly requests: readonly RecordedRequest[];
}

/** The providers, and a KeyPass before them with one connection for every need. */
export class BothWays {
  readonly #providers: Providers;
  readonly #url: string;
  readonly #tokens: Tokens;
  readonly #stop: () => Promise<void>;

  private constructor(providers: Providers, url: string, tokens: Tokens, stop: () => Promise<void>) {
    this.#providers = providers;
    this.#url = url;
    this.#tokens = tokens;
    this.#stop = stop;
  }

  static async start(database: Database): Promise<BothWays> {
    const providers = await startUpstream();
    const origins = standIns.map((id) => [`KEYPASS_${id.toUpperCase()}_BASE_URL`, providers.origins[id]]);
    const server = await startTestServer({ database, settings: Object.fromEntries(origins) });
    const stop = async () => {
      await server.stop();
      await providers.stop();
    };
    return new BothWays(providers, server.url, await connect(server.url), stop);
  }

  /** Runs a scenario both ways and compares. */
  async try(client: Client, feature: Feature): Promise<Cell> {
    const scenario = scenarioOf(client, feature);
    if (scenario === undefined) return { client, feature, faults: ['there is no such scenario'] };
    const { provider, translatedTo = provider } = client;
    const token = this.#tokens[scenario.refusal?.by ?? 'any'];
    const through = await this.#run(scenario, {
      root: `${this.#url}/${provider}`,
      apiKey: token,
      asked: translatedTo,
    });
    if (scenario.refusal !== undefined) return { client, feature, faults: refusalFaults(scenario.refusal, through) };
    const own = { root: this.#providers.origins[provider], apiKey: secrets[provider], asked: provider };
    const direct = await this.#run(scenario, own);
    const faults = [
      ...differences(direct.result, through.result, 'result'),
      ...unexpectedEnd(scenario, direct),
      ...keyFaults(through.requests),
    ];
    if (scenario.comparesResultsOnly === true || translatedTo !== provider) return { client, feature, faults };
    const sent = await requestsOf(direct.requests, direct.canon);
    const arrived = await requestsOf(through.requests, through.canon, direct.requests);
    return { client, feature, faults: [...faults, ...differences(sent, arrived, 'request')] };
  }

  async #run({ run, plan }: Scenario, target: Target): Promise<Outcome> {
    this.#providers.clear();
    const planned: readonly Planned[] = plan?.(target.asked) ?? [];
    for (const { answer } of planned) this.#providers.answerNext(target.asked, answer);
    const canon = new Canon(target);
    const outcome = await run(target).then(valueOf, failureOf);
    for (const { done } of planned) await done;
    return {
      result: canon.of(outcome),
      hasFailed: 'failure' in outcome,
      canon,
      requests: [...this.#providers.requests()],
    };
  }

  stop(): Promise<void> {
    return this.#stop();
  }
}

/** Each provider has to have got its own key, wherever KeyPass has sent a request. */
function keyFaults(requests: readonly RecordedRequest[]): string[] {
  return standIns.flatMap((id) =>
    requests.flatMap((request) => (request.provider === id ? (keyFault(request, secrets[id]) ?? []) : [])),
  );
}

/** Two failures that are alike prove nothing, unless the provider was to fail. */
function unexpectedEnd({ throws }: Scenario, { hasFailed, result }: Outcome): string[] {
  return hasFailed === (throws === true) ? [] : [`directly: ${JSON.stringify(result)}`];
}

function valueOf(value: unknown): object {
  return { value };
}

function failureOf(failure: unknown): object {
  return { failure };
}

async function connect(url: string): Promise<Tokens> {
  const { vault } = await openVault({ url });
  for (const provider of standIns) await vault.keys.add({ provider, secret: secrets[provider] });
  const usual = { name: 'Clients', providers: [...standIns], budgetCents: 1_000_000 };
  const all = await vault.connections.create({ ...usual, scopes: [...policyScopes] });
  const poor = await vault.connections.create({ ...usual, budgetCents: 0 });
  const revoked = await vault.connections.create(usual);
  await vault.connections.revoke(revoked.id);
  return { any: all.accessToken, 'no budget': poor.accessToken, revoked: revoked.accessToken };
}

/** What differs from the refusal that is expected, and what reached a provider all the same. */
function refusalFaults(
  { error, isLate }: Refusal,
  { result, requests }: Pick<Outcome, 'result' | 'requests'>,
): string[] {
  const expected = isLate === true ? 1 : 0;
  const reached = requests.length === expected ? [] : [`${requests.length} requests reached the provider`];
  return [...missing({ failure: error }, result, 'result'), ...reached];
}

/** What of `wanted` is not in `found`, which may have more. A text may be wanted by what it has to match. */
function missing(wanted: unknown, found: unknown, at: string): string[] {
  if (wanted instanceof RegExp)
    return wanted.test(String(found)) ? [] : [`${at}: ${String(found)} lacks ${wanted.source}`];
  if (typeof wanted !== 'object' || wanted === null) return differences(wanted, found, at);
  if (typeof found !== 'object' || found === null) return differences(wanted, found, at);
  const members: Readonly<Record<string, unknown>> = { ...found };
  return Object.entries(wanted).flatMap(([name, member]) => missing(member, members[name], `${at}.${name}`));
}
