import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { createDraft, type Draft } from '../connections/allowance.tsx';
import { codeOf } from '../ui/failure.ts';
import { createShelf, Shown } from '../ui/shelf.tsx';
import type { Connection, Key, Provider, Vault } from '../vault.ts';
import { BudgetScreen } from './budget.tsx';
import { ChooseScreen } from './choose.tsx';
import type { Asked, Flow } from './flow.ts';
import { ReviewScreen } from './review.tsx';
import { Asker } from './who.tsx';

interface ConsentProps {
  flow: Flow;
  asked: Asked;
  vault: Vault;
}

/** What the screens after the sign-in work on. */
interface Ground {
  keys: Key[];
  providers: Provider[];
  /** The connection that is to be changed, as its owner approved it. */
  current: Connection | undefined;
}

const defaultBudget = 1000;

export function Consent({ flow, asked, vault }: ConsentProps) {
  const { request } = asked;
  useEffect(() => flow.event('unlocked'), [vault]);
  const ground = useMemo(() => {
    const shelf = createShelf<Ground>(async () => {
      await flow.confirm(vault);
      const [keys, providers, current] = await Promise.all([
        vault.keys.list(),
        vault.keys.providers(),
        request.connectionId === null ? undefined : currentOf(vault, request.connectionId, flow),
      ]);
      return { keys, providers, current };
    });
    void shelf.reload();
    return shelf;
  }, [vault]);
  return (
    <div class="consent-body">
      <Asker asked={asked} />
      <Shown of={ground}>
        {(known) => <Steps flow={flow} asked={asked} vault={vault} {...known} onChanged={() => ground.reload()} />}
      </Shown>
    </div>
  );
}

/** The connection to be changed; one that this account does not have ends the request. */
async function currentOf(vault: Vault, connectionId: string, flow: Flow): Promise<Connection> {
  try {
    return await vault.connections.get(connectionId);
  } catch (error) {
    if (codeOf(error) === 'connection_not_found') await flow.refuseAccount();
    throw error;
  }
}

type Screen = 'choose' | 'budget' | 'review';

function Steps({
  flow,
  asked,
  vault,
  keys,
  providers,
  current,
  onChanged,
}: ConsentProps & Ground & { onChanged: () => Promise<void> }) {
  const screen = useSignal<Screen>('choose');
  const draft = useMemo(() => draftOf(asked, keys, current), []);
  const go = (next: Screen) => (): void => {
    screen.value = next;
  };
  const common = {
    asked,
    draft,
    keys,
    providers,
    had: current?.policy.scopes ?? [],
    period: current?.policy.period ?? ('month' as const),
    expiresAt: current?.policy.expiresAt ?? null,
    onDeny: () => void flow.deny(),
  };
  if (screen.value === 'choose') {
    return <ChooseScreen {...common} vault={vault} onAdded={onChanged} onNext={go('budget')} onBack={common.onDeny} />;
  }
  if (screen.value === 'budget') return <BudgetScreen {...common} onNext={go('review')} onBack={go('choose')} />;
  return (
    <ReviewScreen
      {...common}
      onApprove={(approval) => flow.approve(vault, approval)}
      onNext={go('review')}
      onBack={go('budget')}
    />
  );
}

/** What was asked for, or what the connection has plus what was asked for: a start that the person changes. */
function draftOf({ request }: Asked, keys: readonly Key[], current: Connection | undefined): Draft {
  const before = current?.policy.providers ?? [];
  const added = request.requestedProviders.filter((id) => before.every((provider) => provider.id !== id));
  const providers = [
    ...before.map((provider) => ({ ...provider, on: true })),
    ...added.map((id) => ({ id, models: modelsOf(request.models, id), on: keys.some((key) => key.provider === id) })),
  ];
  const budgetCents = request.budgetSuggestionCents ?? current?.policy.budgetCents ?? defaultBudget;
  const scopes = [...new Set([...(current?.policy.scopes ?? []), ...request.requestedScopes])].toSorted();
  return createDraft(providers, budgetCents, { scopes, limits: current?.policy.limits });
}

/** `openai/gpt-…` belongs to that provider alone; a bare name is meant for all that were asked for. */
function modelsOf(models: readonly string[] | null, provider: string): string[] | null {
  const own = (models ?? []).flatMap((model) => {
    const [first = '', ...rest] = model.split('/');
    if (rest.length === 0) return [model];
    return first === provider ? [rest.join('/')] : [];
  });
  return own.length === 0 ? null : own;
}
