import { nameOf } from '../keys/add-key.tsx';
import { fromCents, exactUsd } from '../ui/amount.ts';
import { Button } from '../ui/button.tsx';
import { Badge, Notice } from '../ui/card.tsx';
import { useTask } from '../ui/failure.ts';
import { Icon } from '../ui/icon.tsx';
import { SpendBar } from '../ui/money.tsx';
import { Monogram } from '../ui/monogram.tsx';
import { peekShelf } from '../ui/shelf.tsx';
import { language, texts } from '../ui/texts.ts';
import { sayDay } from '../ui/time.ts';
import type { Store } from '../vault/store.ts';
import type { Connection, Key, Policy, Provider } from '../vault.ts';
import { saysLimits, saysScopes } from './extras.tsx';

interface CardProps {
  store: Store;
  providers: readonly Provider[];
  connection: Connection;
  onEdit: () => void;
  onRevoke: () => void;
}

/** One connection: who, where from, what with, how much is left, and the three things one can do about it. */
export function ConnectionCard({ store, providers, connection, onEdit, onRevoke }: CardProps) {
  const task = useTask();
  const paused = connection.status === 'paused';
  const toggle = (): void =>
    task.run(async () => {
      await store.vault.connections.update(connection.id, { paused: !paused });
      await store.connections.reload();
    });
  const { policy } = connection;
  const missing = missingKeys(policy, peekShelf(store.keys)).map((id) => nameOf(providers, id));
  const limit = Math.min(policy.budgetCents, connection.capCents ?? policy.budgetCents);
  return (
    <li class="card connection">
      <div class="head">
        <Monogram name={titleOf(connection)} />
        <div class="what">
          <h2>{titleOf(connection)}</h2>
          <Source connection={connection} />
        </div>
        {connection.status !== 'active' && (
          <Badge tone={paused ? 'warn' : 'plain'}>
            {texts.connections.status[connection.status] ?? connection.status}
          </Badge>
        )}
      </div>
      <p class="muted small">
        {saysProviders(policy, providers)}
        <br />
        {saysScopes(policy.scopes)}
      </p>
      {refusedKeys(policy, peekShelf(store.keys)).map(({ id, provider, refusal }) => (
        <Notice key={id} tone="warn">
          {texts.checks.inUse[refusal.verdict](nameOf(providers, provider))} <a href="#/keys">{texts.checks.seeKeys}</a>
        </Notice>
      ))}
      {missing.length > 0 && <Notice tone="warn">{texts.connections.keyMissing(missing.join(', '))}</Notice>}
      <SpendBar spent={connection.spent} held={connection.held} limitCents={limit} />
      {task.fault.value !== undefined && <Notice tone="bad">{task.fault.value}</Notice>}
      <div class="row between">
        <span class="muted small">{saysBudget(connection, limit)}</span>
        <div class="row">
          {store.vault.unlocked && (
            <Button size="small" label={`${texts.connections.edit}: ${titleOf(connection)}`} onClick={onEdit}>
              {texts.connections.edit}
            </Button>
          )}
          <Button
            size="small"
            label={`${pauseWord(paused)}: ${titleOf(connection)}`}
            busy={task.busy.value}
            onClick={toggle}
          >
            {pauseWord(paused)}
          </Button>
          <Button size="small" label={`${texts.connections.revoke}: ${titleOf(connection)}`} onClick={onRevoke}>
            {texts.connections.revoke}
          </Button>
        </div>
      </div>
    </li>
  );
}

function pauseWord(paused: boolean): string {
  return paused ? texts.connections.resume : texts.connections.pause;
}

/** Where it comes from: only an origin that the browser itself had named counts as verified. */
function Source({ connection }: { connection: Connection }) {
  const { kind, origin } = connection.policy;
  if (kind === 'personal') {
    return connection.name === null ? null : <span class="muted small">{texts.connections.personal}</span>;
  }
  if (origin === null) {
    return (
      <span class="source warn">
        <Icon name="alert" size={14} />
        {texts.connections.notVerified}
      </span>
    );
  }
  // While the vault is locked this is the server's word alone.
  if (!connection.verified) return <span class="muted small">{origin}</span>;
  return (
    <span class="source" title={texts.connections.verified}>
      <Icon name="shield" size={14} />
      {origin}
      <span class="visually-hidden">{texts.connections.verified}</span>
    </span>
  );
}

export function titleOf({ app, name, policy }: Connection): string {
  return name ?? app?.name ?? policy.origin ?? texts.connections.personal;
}

/** "OpenAI · Anthropic (claude-sonnet-4-5)": what it may use. */
function saysProviders(policy: Policy, providers: readonly Provider[]): string {
  const each = policy.providers.map(({ id, models }) => {
    const name = nameOf(providers, id);
    return models === null ? name : `${name} (${models.join(', ')})`;
  });
  return each.join(' · ');
}

/** The providers of a policy whose key is gone; none while the keys are not known. */
function missingKeys(policy: Policy, keys: readonly Key[] | undefined): string[] {
  if (keys === undefined) return [];
  return policy.providers.filter(({ keyId }) => keys.every((key) => key.id !== keyId)).map(({ id }) => id);
}

/** The keys of a policy that their providers refuse. */
function refusedKeys(policy: Policy, keys: readonly Key[] = []) {
  const used = keys.filter((key) => policy.providers.some(({ keyId }) => keyId === key.id));
  return used.flatMap(({ id, provider, refusal }) => (refusal === null ? [] : [{ id, provider, refusal }]));
}

export function saysLimit(cents: number, period: Policy['period']): string {
  const money = exactUsd(fromCents(cents), language);
  return period === 'month' ? texts.connections.perMonth(money) : texts.connections.inTotal(money);
}

function saysBudget({ policy, resetsAt }: Connection, limit: number): string {
  const parts = [saysLimit(limit, policy.period)];
  const limits = saysLimits(policy.limits);
  if (limits !== '') parts.push(limits);
  if (resetsAt !== null) parts.push(texts.connections.resets(sayDay(resetsAt)));
  if (policy.expiresAt !== null) parts.push(texts.connections.expires(sayDay(policy.expiresAt)));
  return parts.join(' · ');
}
