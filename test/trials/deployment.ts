import { join } from 'node:path';
import { Vault } from '../../sdk/vault/src/index.ts';
import { Instance } from './instance.ts';

/** One connection of the trial: its token, and its cap in pico-dollars. */
export interface Subject {
  readonly id: string;
  readonly token: string;
  readonly budgetCents: number;
}

interface Options {
  readonly count: number;
  /** Told of every instance before it is started, to remove it at the end. */
  readonly onEnd: (cleanup: () => unknown) => void;
  /** The provider's origin. */
  readonly provider: string;
  /** A PostgreSQL database for all instances; none: the embedded one of the only instance. */
  readonly databaseUrl?: string;
}

/** Starts instances with one database, one pepper and one provider. */
export async function deploy({ count, onEnd, provider, databaseUrl }: Options): Promise<Instance[]> {
  const settings: Record<string, string> = { KEYPASS_OPENAI_BASE_URL: provider };
  if (databaseUrl !== undefined) settings['DATABASE_URL'] = databaseUrl;
  const first = new Instance(settings);
  const shared = { ...settings, KEYPASS_PEPPER_FILE: join(first.folder, 'pepper.json') };
  const instances = [first, ...Array.from({ length: count - 1 }, () => new Instance(shared))];
  for (const instance of instances) onEnd(() => instance.remove());
  // The first makes the schema and the pepper.
  for (const instance of instances) await instance.start();
  return instances;
}

/** An owner with one key, and a connection for each budget. */
export async function approve({ url }: Instance, budgets: readonly number[]): Promise<Subject[]> {
  const person = { email: 'owner@example.com', password: 'correct horse battery staple' };
  const { vault } = await Vault.register({ baseUrl: url, ...person });
  await vault.keys.add({ provider: 'openai', secret: `sk-proj-${'t'.repeat(40)}` });
  const subjects: Subject[] = [];
  for (const [index, budgetCents] of budgets.entries()) {
    // Of the whole life: no trial is torn by the end of a month.
    const allowance = { name: `subject ${index}`, providers: ['openai'], budgetCents, period: 'total' as const };
    const { id, accessToken } = await vault.connections.create(allowance);
    subjects.push({ id, token: accessToken, budgetCents });
  }
  return subjects;
}

export function capOf({ budgetCents }: Subject): bigint {
  return BigInt(budgetCents) * 10_000_000_000n;
}

export function capsOf(subjects: readonly Subject[]): Map<string, bigint> {
  return new Map(subjects.map((subject) => [subject.id, capOf(subject)]));
}
