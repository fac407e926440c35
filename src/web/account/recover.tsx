import { useSignal } from '@preact/signals';
import { Button } from '../ui/button.tsx';
import { Intro } from '../ui/card.tsx';
import { useTask } from '../ui/failure.ts';
import { Field } from '../ui/field.tsx';
import { Form } from '../ui/form.tsx';
import { texts } from '../ui/texts.ts';
import type { Vault } from '../vault.ts';
import { NewPassword } from './new-password.tsx';
import { recover } from './session.ts';
import { shortestPassword } from '../../../sdk/vault/src/index.ts';

export function Recover({ vault, onBack }: { vault: Vault | undefined; onBack: () => void }) {
  const email = useSignal(vault?.email ?? '');
  const code = useSignal('');
  const password = useSignal('');
  const checked = useSignal(false);
  const task = useTask();
  const submit = (): void => {
    checked.value = true;
    if (password.value.length < shortestPassword) return;
    task.run(() =>
      recover({ email: email.value.trim(), recoveryCode: code.value.trim(), newPassword: password.value }),
    );
  };
  return (
    <>
      <Intro title={texts.account.recoverTitle}>{texts.account.recoverText}</Intro>
      <Form task={task} onSubmit={submit} waiting={texts.account.recovering}>
        <Field label={texts.account.email} value={email} type="email" autoComplete="username" autoFocus />
        <Field label={texts.account.recoveryCode} value={code} mono />
        <NewPassword value={password} email={email.value} fault={checked.value} />
        <Button type="submit" kind="primary" size="large" wide busy={task.busy.value}>
          {texts.account.recover}
        </Button>
      </Form>
      <div class="row under">
        <Button kind="plain" size="small" onClick={onBack}>
          {texts.account.backToUnlock}
        </Button>
      </div>
    </>
  );
}
