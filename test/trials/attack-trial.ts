import { createPostgresDatabase } from '../harness/postgres.ts';
import { firstLine, rulesBroken } from './attack-judge.ts';
import { openScene, type Scene } from './attack-scene.ts';
import { Search } from './attack-search.ts';
import { converse, type Heard } from './attack-socket.ts';
import { type Case, render } from './attack/case.ts';
import { families } from './attack/corpus.ts';
import { type Fault, type TrialResult, withCleanup } from './faults.ts';

interface AttackTrial {
  readonly kind: 'embedded' | 'postgres';
  /** Every so many of the cases of a family. */
  readonly step: number;
}

/** Sends every attack of the corpus to a real server, and then looks for what it was given to keep, wherever it may have left it. */
export function runAttackTrial(trial: AttackTrial): Promise<TrialResult> {
  return withCleanup((onEnd) => run(trial, onEnd));
}

async function run({ kind, step }: AttackTrial, onEnd: (cleanup: () => unknown) => void): Promise<TrialResult> {
  const database = kind === 'postgres' ? await createPostgresDatabase() : undefined;
  if (database !== undefined) onEnd(() => database.drop());
  const scene = await openScene(database?.url, onEnd);
  const siege = new Siege(scene);
  const rows: [string, string][] = [];
  for (const { name, cases } of families) {
    const chosen = cases.filter((_, at) => at % step === 0);
    rows.push([name, await siege.attack(name, chosen)]);
  }
  const { faults, figures } = await siege.end(database?.url);
  return { faults, figures: { ...Object.fromEntries(rows), ...figures } };
}

/** The attacks on one server, one after the other, so that whatever arrives is known to be of one of them. */
class Siege {
  readonly #scene: Scene;
  readonly #search: Search;
  readonly #faults: Fault[] = [];
  readonly #known: string[] = [];
  #cases = 0;

  constructor(scene: Scene) {
    this.#scene = scene;
    this.#search = new Search(scene);
  }

  /** Makes the cases of a family; the row of a table about them. */
  async attack(family: string, cases: readonly Case[]): Promise<string> {
    let findings = 0;
    for (const attack of cases) {
      const rules = await this.#try(attack);
      if (rules.length > 0) findings += 1;
      if (attack.finding !== undefined && rules.length > 0) this.#known.push(`${attack.name}: ${attack.finding}`);
      else this.#faults.push(...rules.map((rule) => ({ rule: `${family}: ${rule}`, detail: attack.name })));
      if (attack.finding !== undefined && rules.length === 0)
        this.#faults.push({ rule: `${family}: no finding any more`, detail: attack.name });
    }
    this.#cases += cases.length;
    const passed = cases.filter(({ arrives }) => arrives.length > 0).length;
    const counts = [cases.length, cases.length - passed, passed, findings].map((count) => String(count).padStart(5));
    return `${counts[0]} cases ${counts[1]} refused ${counts[2]} passed as listed ${counts[3]} findings`;
  }

  /** Looks everywhere for what may have been left. The server is ended for that. */
  async end(databaseUrl: string | undefined): Promise<TrialResult> {
    this.#faults.push(...this.#late(), ...(await this.#search.everywhere(databaseUrl)));
    const { sunk } = this.#scene.providers;
    this.#faults.push(...sunk.map((detail) => ({ rule: 'reached the place that nobody may reach', detail })));
    const known = this.#known.length === 0 ? {} : { 'known findings': this.#known.join('; ') };
    return { faults: this.#faults, figures: { 'all cases': this.#cases, ...known, ...this.#search.figures } };
  }

  async #try(attack: Case): Promise<string[]> {
    this.#faults.push(...this.#late());
    const { providers, words, keys } = this.#scene;
    const heard = await launch(this.#scene, attack);
    const arrived = providers.take();
    return [
      ...rulesBroken(attack, heard, arrived, { words, keys }),
      ...this.#search.inAnswers(attack, heard.answers),
      ...this.#search.inArrivals(arrived),
    ];
  }

  /** What reached a provider after its case had ended. */
  #late(): Fault[] {
    return this.#scene.providers
      .take()
      .map(({ provider, head }) => ({ rule: 'reached a provider late', detail: `${provider}: ${firstLine(head)}` }));
  }
}

function launch(
  { server, providers, words }: Scene,
  { send, told, staysOpen, answers, lingers }: Case,
): Promise<Heard> {
  providers.answerWith(told === undefined ? undefined : render(told, words), staysOpen ?? false);
  return converse(server.port, render(send, words), {
    expected: answers.length,
    lingers: lingers ?? false,
    isHead: send.startsWith('HEAD '),
  });
}
