import { useSignal } from '@preact/signals';
import { Button } from '../ui/button.tsx';
import { Intro } from '../ui/card.tsx';
import { codeOf, useTask } from '../ui/failure.ts';
import { Field } from '../ui/field.tsx';
import { Form } from '../ui/form.tsx';
import { texts } from '../ui/texts.ts';
import { NewPassword } from './new-password.tsx';
import { register } from './session.ts';
import { shortestPassword } from '../../../sdk/vault/src/index.ts';

export function SignUp({ invite, onHave }: { invite: string | undefined; onHave: () => void }) {
  const email = useSignal('');
  const password = useSignal('');
  const invitation = useSignal(invite ?? '');
  const asksInvitation = useSignal(invite !== undefined);
  const checked = useSignal(false);
  const task = useTask();
  const emailOk = /^[^\s@]+@[^\s@]+$/.test(email.value.trim());
  const submit = (): void => {
    checked.value = true;
    if (!emailOk || password.value.length < shortestPassword) return;
    const code = invitation.value.trim();
    task.run(
      () => register({ email: email.value.trim(), password: password.value, ...(code === '' ? {} : { invite: code }) }),
      (error) => {
        if (codeOf(error) === 'invitation_invalid') asksInvitation.value = true;
        return false;
      },
    );
  };
  return (
    <>
      <Intro title={texts.account.createTitle}>{texts.account.createText}</Intro>
      <Form task={task} onSubmit={submit} waiting={texts.account.creating}>
        <Field
          label={texts.account.email}
          value={email}
          type="email"
          autoComplete="username"
          fault={checked.value && !emailOk ? texts.account.emailFault : undefined}
          autoFocus
        />
        <NewPassword value={password} email={email.value} fault={checked.value} />
        {asksInvitation.value && (
          <Field label={texts.account.invitation} value={invitation} hint={texts.account.invitationHint} mono />
        )}
        <Button type="submit" kind="primary" size="large" wide busy={task.busy.value}>
          {texts.account.create}
        </Button>
      </Form>
      <div class="row under">
        <Button kind="plain" size="small" onClick={onHave}>
          {texts.account.haveAccount}
        </Button>
      </div>
    </>
  );
}
