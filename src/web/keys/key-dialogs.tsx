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
import type { Key, Vault } from '../vault.ts';
import { refusalOf } from './add-key.tsx';

interface KeyDialogProps {
  vault: Vault;
  entry: Key;
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

export function ReplaceKey({ vault, entry, onClose, onDone }: KeyDialogProps) {
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
