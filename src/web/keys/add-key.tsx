import { useComputed, useSignal } from '@preact/signals';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/card.tsx';
import { Select } from '../ui/choice.tsx';
import { useTask } from '../ui/failure.ts';
import { Field, PasswordField } from '../ui/field.tsx';
import { Form } from '../ui/form.tsx';
import { texts } from '../ui/texts.ts';
import { CheckKey } from './check-key.tsx';
import {
  detectProviders,
  KeyRefusedError,
  OriginDiffersError,
  normaliseSecret,
  type Provider,
  type Vault,
} from '../vault.ts';

interface AddKeyProps {
  vault: Vault;
  providers: readonly Provider[];
  /** Only this provider's key is wanted. */
  only?: string;
  onDone: () => void;
  onCancel: () => void;
}

/** Paste, see whose key it is, name it, store it. */
export function AddKey({ vault, providers, only, onDone, onCancel }: AddKeyProps) {
  const secret = useSignal('');
  const label = useSignal('');
  const picked = useSignal(only ?? '');
  const checked = useSignal(false);
  const elsewhere = useSignal<OriginDiffersError | undefined>(undefined);
  const task = useTask();
  const detected = useComputed(() =>
    detectProviders(secret.value).filter((id) => providers.some((one) => one.id === id)),
  );
  const provider = picked.value === '' ? (detected.value[0] ?? '') : picked.value;
  const known = providers.find(({ id }) => id === provider);
  const needsKey = known?.needsKey !== false;
  const key = secret.value;
  const fault = needsKey ? refusalOf(key) : undefined;
  // Calls go where the provider is known to be, or where the person has just agreed to.
  const store = (origin = known?.expectedOrigin ?? ''): void => {
    checked.value = true;
    if (provider === '' || fault !== undefined) return;
    task.run(
      async () => {
        const given = needsKey ? { secret: key } : {};
        await vault.keys.add({ provider, ...given, label: label.value.trim(), origin });
        onDone();
      },
      (error) => {
        if (!(error instanceof OriginDiffersError)) return false;
        elsewhere.value = error;
        return true;
      },
    );
  };
  if (elsewhere.value !== undefined && known !== undefined) {
    return (
      <ForeignOrigin
        provider={known}
        origin={elsewhere.value.origin}
        task={task}
        onAgree={() => store(elsewhere.value?.origin)}
        onCancel={onCancel}
      />
    );
  }
  return (
    <Form task={task} onSubmit={() => store()}>
      {needsKey ? (
        <PasswordField
          label={texts.keys.secret}
          value={secret}
          hint={
            detected.value.length === 0
              ? texts.keys.secretHint
              : texts.keys.detected(nameOf(providers, detected.value[0]))
          }
          fault={key === '' && !checked.value ? undefined : fault}
          mono
          autoFocus
        />
      ) : (
        <p>{texts.keys.noKey(known.name)}</p>
      )}
      {only === undefined && (
        <Select
          label={texts.keys.provider}
          value={provider}
          options={[
            { value: '', text: texts.keys.choose },
            ...providers.map(({ id, name }) => ({ value: id, text: name })),
          ]}
          onChange={(value) => (picked.value = value)}
        />
      )}
      {checked.value && provider === '' && <Notice tone="bad">{texts.keys.chooseFault}</Notice>}
      {needsKey && known !== undefined && fault === undefined && (
        <CheckKey
          key={`${provider} ${key}`}
          provider={known}
          ask={(by) => vault.keys.check({ provider, secret: key, origin: known.origin }, by)}
        />
      )}
      <Field label={`${texts.keys.label} (${texts.optional})`} value={label} hint={texts.keys.labelHint} />
      {typeof known?.keyPage === 'string' && <KeyPage provider={known.name} page={known.keyPage} />}
      <div class="actions">
        <Button kind="plain" onClick={onCancel}>
          {texts.cancel}
        </Button>
        <Button type="submit" kind="primary" busy={task.busy.value}>
          {texts.keys.add}
        </Button>
      </div>
    </Form>
  );
}

interface ForeignOriginProps {
  provider: Provider;
  origin: string;
  task: ReturnType<typeof useTask>;
  onAgree: () => void;
  onCancel: () => void;
}

/** The server would send the key to another address than this page knows: the owner decides. */
function ForeignOrigin({ provider, origin, task, onAgree, onCancel }: ForeignOriginProps) {
  const isOwn = provider.expectedOrigin === null;
  return (
    <Form task={task} onSubmit={onAgree}>
      <Notice tone="warn">
        <strong>{isOwn ? texts.keys.ownTitle : texts.keys.originTitle}</strong>
        <p>
          {isOwn ? texts.keys.own(provider.name, origin, provider.needsKey) : texts.keys.origin(provider.name, origin)}
        </p>
      </Notice>
      <div class="actions">
        <Button kind="plain" onClick={onCancel}>
          {texts.cancel}
        </Button>
        <Button type="submit" kind="primary" busy={task.busy.value}>
          {texts.keys.originAgree}
        </Button>
      </div>
    </Form>
  );
}

function KeyPage({ provider, page }: { provider: string; page: string }) {
  const url = URL.parse(page.includes('://') ? page : `https://${page}`);
  if (url?.protocol !== 'https:') return null;
  return (
    <p class="small">
      <a href={url.href} target="_blank" rel="noopener noreferrer">
        {texts.keys.page(provider)}
      </a>
    </p>
  );
}

/** What is wrong with a pasted text, in words; undefined when it may be a key. */
export function refusalOf(secret: string): string | undefined {
  try {
    normaliseSecret(secret);
    return undefined;
  } catch (error) {
    return error instanceof KeyRefusedError ? texts.keys.refusals[error.reason] : texts.keys.refusals.malformed;
  }
}

/** A provider's own name; its id when this server no longer has it. */
export function nameOf(providers: readonly Provider[], id: string | undefined): string {
  return providers.find((provider) => provider.id === id)?.name ?? id ?? '';
}
