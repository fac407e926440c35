import { useMemo } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/card.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { useTask } from '../ui/failure.ts';
import { Field } from '../ui/field.tsx';
import { Form } from '../ui/form.tsx';
import { Secret } from '../ui/secret.tsx';
import { texts } from '../ui/texts.ts';
import type { Store } from '../vault/store.ts';
import type { Connection, Key, Policy, Provider } from '../vault.ts';
import { BudgetField, chosenProviders, createDraft, keysOf, ProviderChoice } from './allowance.tsx';
import { titleOf } from './connection-card.tsx';
import { Extras } from './extras.tsx';

interface DialogProps {
  store: Store;
  onClose: () => void;
  onDone: () => void;
}

interface Known {
  keys: readonly Key[];
  providers: readonly Provider[];
}

/** Budget, models and limits of a connection; its app notices nothing but those. */
export function EditConnection({
  store,
  connection,
  keys,
  providers,
  onClose,
  onDone,
}: DialogProps & Known & { connection: Connection }) {
  const { policy } = connection;
  const draft = useMemo(() => createDraft(withKeys(policy.providers, keys), policy.budgetCents, policy), []);
  const checked = useSignal(false);
  const task = useTask();
  const submit = (): void => {
    checked.value = true;
    const chosen = chosenProviders(draft, keys);
    const [budgetCents, limits, scopes] = [draft.cents.value, draft.limits.value, draft.scopes.value];
    if (chosen === undefined || budgetCents === undefined || limits === undefined || scopes.length === 0) return;
    task.run(async () => {
      await store.vault.connections.update(connection.id, { providers: chosen, budgetCents, limits, scopes });
      onDone();
    });
  };
  return (
    <Dialog title={texts.connections.editTitle(titleOf(connection))} onClose={onClose}>
      <Form task={task} onSubmit={submit}>
        <BudgetField draft={draft} period={policy.period} />
        <Providers draft={draft} keys={keys} providers={providers} checked={checked.value} />
        <Extras draft={draft} />
        <div class="actions">
          <Button kind="plain" onClick={onClose}>
            {texts.cancel}
          </Button>
          <Button type="submit" kind="primary" busy={task.busy.value}>
            {texts.save}
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}

/** A provider without any key starts switched off: nothing could be sealed for it. */
function withKeys(chosen: Policy['providers'], keys: readonly Key[]) {
  return chosen.map((provider) => ({ ...provider, on: keysOf(keys, provider.id).length > 0 }));
}

function Providers({ draft, checked, ...known }: Known & { draft: ReturnType<typeof createDraft>; checked: boolean }) {
  return (
    <fieldset class="stack tight">
      <legend class="label">{texts.connections.tokenProviders}</legend>
      <ul class="choices">
        {draft.providers.map((provider) => (
          <ProviderChoice key={provider.id} draft={provider} checked={checked} {...known} />
        ))}
      </ul>
      {checked && draft.providers.every(({ on }) => !on.value) && (
        <Notice tone="bad">{texts.connections.providersFault}</Notice>
      )}
    </fieldset>
  );
}

export function RevokeConnection({ store, connection, onClose, onDone }: DialogProps & { connection: Connection }) {
  const task = useTask();
  const submit = (): void =>
    task.run(async () => {
      await store.vault.connections.revoke(connection.id);
      onDone();
    });
  return (
    <Dialog title={texts.connections.revokeTitle(titleOf(connection))} onClose={onClose}>
      <ul class="bullets">
        {texts.connections.revokeText.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
      <Form task={task} onSubmit={submit}>
        <div class="actions">
          <Button kind="plain" onClick={onClose}>
            {texts.cancel}
          </Button>
          <Button type="submit" kind="danger" busy={task.busy.value}>
            {texts.connections.revokeNow}
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}

/** A token for a tool of one's own: made here, shown once. */
export function NewToken({ store, keys, providers, onClose, onDone }: DialogProps & Known) {
  const ids = [...new Set(keys.map((key) => key.provider))];
  const draft = useMemo(
    () =>
      createDraft(
        ids.map((id) => ({ id, on: ids.length === 1 })),
        1000,
      ),
    [],
  );
  const name = useSignal('');
  const checked = useSignal(false);
  const token = useSignal<string | undefined>(undefined);
  const task = useTask();
  if (token.value !== undefined) return <ShownToken token={token.value} onDone={onDone} />;
  const submit = (): void => {
    checked.value = true;
    const chosen = chosenProviders(draft, keys);
    const [budgetCents, limits, scopes] = [draft.cents.value, draft.limits.value, draft.scopes.value];
    if (chosen === undefined || budgetCents === undefined || limits === undefined || scopes.length === 0) return;
    if (name.value.trim() === '') return;
    task.run(async () => {
      const allowance = { providers: chosen, budgetCents, limits, scopes };
      const made = await store.vault.connections.create({ name: name.value.trim(), ...allowance });
      token.value = made.accessToken;
    });
  };
  return (
    <Dialog title={texts.connections.tokenTitle} onClose={onClose}>
      <p class="muted">{texts.connections.tokenText}</p>
      {keys.length === 0 ? (
        <Notice>{texts.connections.noKeys}</Notice>
      ) : (
        <Form task={task} onSubmit={submit}>
          <Field
            label={texts.connections.tokenName}
            value={name}
            hint={texts.connections.tokenNameHint}
            fault={checked.value && name.value.trim() === '' ? texts.connections.tokenNameFault : undefined}
            autoFocus
          />
          <BudgetField draft={draft} period="month" />
          <Providers draft={draft} keys={keys} providers={providers} checked={checked.value} />
          <Extras draft={draft} />
          <div class="actions">
            <Button kind="plain" onClick={onClose}>
              {texts.cancel}
            </Button>
            <Button type="submit" kind="primary" busy={task.busy.value}>
              {texts.connections.create}
            </Button>
          </div>
        </Form>
      )}
    </Dialog>
  );
}

function ShownToken({ token, onDone }: { token: string; onDone: () => void }) {
  return (
    <Dialog title={texts.connections.tokenReady} onClose={onDone}>
      <p class="muted">{texts.connections.tokenReadyText}</p>
      <Secret label={texts.connections.token} value={token} />
      <Secret label={texts.connections.baseUrl} value={`${location.origin}/openai/v1`} />
      <div class="actions">
        <Button kind="primary" onClick={onDone}>
          {texts.done}
        </Button>
      </div>
    </Dialog>
  );
}
