import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/card.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { useTask } from '../ui/failure.ts';
import { PasswordField } from '../ui/field.tsx';
import { Form } from '../ui/form.tsx';
import { Secret } from '../ui/secret.tsx';
import { texts } from '../ui/texts.ts';
import type { Key, Provider, Vault } from '../vault.ts';
import { refusalOf } from './add-key.tsx';
import { CheckKey } from './check-key.tsx';

interface KeyDialogProps {
  vault: Vault;
  entry: Key;
  /** Where it can be asked about the key. */
  provider: Provider | undefined;
  onClose: () => void;
  onDone: () => void;
}

export function RevealKey({ vault, entry, onClose }: KeyDialogProps) {
  const secret = useSignal<string | undefined>(undefined);
  const task = useTask();
  useEffect(() => {
    task.run(async () => {
      secret.value = await vault.keys.reveal(entry.id);
    });
  }, []);
  return (
    <Dialog title={texts.keys.revealTitle} onClose={onClose}>
      <p class="muted">{texts.keys.revealText}</p>
      {task.fault.value !== undefined && <Notice tone="bad">{task.fault.value}</Notice>}
      {secret.value !== undefined && <Secret label={texts.keys.secret} value={secret.value} />}
      <div class="actions">
        <Button kind="primary" onClick={onClose}>
          {texts.close}
        </Button>
      </div>
    </Dialog>
  );
}

/** The mark of a refusal goes with a key that works, so what is shown behind is read again. */
export function CheckStoredKey({
  vault,
  entry,
  provider,
  onClose,
  onChanged,
}: Omit<KeyDialogProps, 'onDone'> & { onChanged: () => void }) {
  if (provider === undefined) return null;
  return (
    <Dialog title={texts.checks.title} onClose={onClose}>
      <CheckKey
        provider={provider}
        atOnce
        ask={async (by) => {
          const verdict = await vault.keys.checkStored(entry.id, by);
          onChanged();
          return verdict;
        }}
      />
      <div class="actions">
        <Button kind="primary" onClick={onClose}>
          {texts.close}
        </Button>
      </div>
    </Dialog>
  );
}

export function ReplaceKey({ vault, entry, provider, onClose, onDone }: KeyDialogProps) {
  const secret = useSignal('');
  const checked = useSignal(false);
  const task = useTask();
  const submit = (): void => {
    checked.value = true;
    if (refusalOf(secret.value) !== undefined) return;
    task.run(async () => {
      await vault.keys.replace(entry.id, secret.value);
      onDone();
    });
  };
  return (
    <Dialog title={texts.keys.replaceTitle} onClose={onClose}>
      <p class="muted">{texts.keys.replaceText}</p>
      <Form task={task} onSubmit={submit}>
        <PasswordField
          label={texts.keys.secret}
          value={secret}
          fault={checked.value || secret.value !== '' ? refusalOf(secret.value) : undefined}
          mono
          autoFocus
        />
        {provider !== undefined && refusalOf(secret.value) === undefined && (
          <CheckKey
            key={secret.value}
            provider={provider}
            ask={(by) => vault.keys.check({ provider: provider.id, secret: secret.value, origin: entry.origin }, by)}
          />
        )}
        <div class="actions">
          <Button kind="plain" onClick={onClose}>
            {texts.cancel}
          </Button>
          <Button type="submit" kind="primary" busy={task.busy.value}>
            {texts.keys.replace}
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}

export function RemoveKey({ vault, entry, onClose, onDone }: KeyDialogProps) {
  const task = useTask();
  const submit = (): void =>
    task.run(async () => {
      await vault.keys.remove(entry.provider, entry.id);
      onDone();
    });
  return (
    <Dialog title={texts.keys.removeTitle} onClose={onClose}>
      <p>{texts.keys.removeText(entry.connectionCount)}</p>
      <Form task={task} onSubmit={submit}>
        <div class="actions">
          <Button kind="plain" onClick={onClose}>
            {texts.cancel}
          </Button>
          <Button type="submit" kind="danger" busy={task.busy.value}>
            {texts.keys.removeKey}
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}
