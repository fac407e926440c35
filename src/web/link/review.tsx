import { chosenProviders, keyName } from '../connections/allowance.tsx';
import { saysLimit } from '../connections/connection-card.tsx';
import { saysLimits } from '../connections/extras.tsx';
import { nameOf } from '../keys/add-key.tsx';
import { Button } from '../ui/button.tsx';
import { Badge, Intro, Notice } from '../ui/card.tsx';
import { useTask } from '../ui/failure.ts';
import { Progress, Steps } from '../ui/progress.tsx';
import { texts } from '../ui/texts.ts';
import { sayDay } from '../ui/time.ts';
import type { Key, Policy, Provider } from '../vault.ts';
import type { Approval } from './flow.ts';
import type { ScreenProps } from './screen.ts';
import { addressOf, consentSteps, Footer } from './who.tsx';

interface ReviewProps extends ScreenProps {
  onApprove: (approval: Approval) => Promise<void>;
}

/** The last look: the very values that go into the policy. */
export function ReviewScreen({
  asked,
  draft,
  keys,
  providers,
  period,
  expiresAt,
  onApprove,
  onBack,
  onDeny,
}: ReviewProps) {
  const task = useTask();
  const chosen = chosenProviders(draft, keys);
  const [cents, limits, scopes] = [draft.cents.value, draft.limits.value, draft.scopes.value];
  if (chosen === undefined || cents === undefined || limits === undefined) return null;
  const { rows } = texts.link;
  const verified = asked.route.by === 'window';
  return (
    <>
      <Steps total={consentSteps} current={5} />
      <Intro title={texts.link.reviewTitle} focus>
        {texts.link.reviewText}
      </Intro>
      <dl class="facts">
        <div>
          <dt>{rows.app}</dt>
          <dd>{asked.request.app.name}</dd>
        </div>
        <div>
          <dt>{rows.address}</dt>
          <dd>
            {addressOf(asked.route)}{' '}
            <Badge tone={verified ? 'good' : 'warn'}>
              {verified ? texts.link.confirmed : texts.connections.notVerified}
            </Badge>
          </dd>
        </div>
        {chosen.map((provider) => (
          <ProviderFact key={provider.id} provider={provider} keys={keys} providers={providers} />
        ))}
        <div>
          <dt>{rows.uses}</dt>
          <dd>{scopes.map((scope) => texts.link.scopes[scope]).join(', ')}</dd>
        </div>
        <div>
          <dt>{rows.budget}</dt>
          <dd class="money">{saysLimit(cents, period)}</dd>
        </div>
        <div>
          <dt>{rows.limits}</dt>
          <dd>{saysLimits(limits) || texts.connections.noLimit}</dd>
        </div>
        <div>
          <dt>{rows.ends}</dt>
          <dd>{expiresAt === null ? texts.link.untilRevoked : sayDay(expiresAt)}</dd>
        </div>
      </dl>
      {task.busy.value && <Progress text={texts.link.approving} />}
      {task.fault.value !== undefined && <Notice tone="bad">{task.fault.value}</Notice>}
      <Footer>
        <Button kind="plain" onClick={onBack}>
          {texts.back}
        </Button>
        <Button kind="plain" onClick={onDeny}>
          {texts.link.deny}
        </Button>
        <Button
          kind="primary"
          size="large"
          busy={task.busy.value}
          onClick={() =>
            task.run(() => onApprove({ providers: chosen, budgetCents: cents, scopes: [...scopes], limits }))
          }
        >
          {texts.link.approve}
        </Button>
      </Footer>
    </>
  );
}

interface FactProps {
  provider: Policy['providers'][number];
  keys: readonly Key[];
  providers: readonly Provider[];
}

function ProviderFact({ provider, keys, providers }: FactProps) {
  const key = keys.find(({ id }) => id === provider.keyId);
  return (
    <div>
      <dt>{nameOf(providers, provider.id)}</dt>
      <dd>
        {provider.models === null ? texts.connections.allModels : provider.models.join(', ')}
        {key !== undefined && <span class="muted small"> · {keyName(key)}</span>}
      </dd>
    </div>
  );
}
