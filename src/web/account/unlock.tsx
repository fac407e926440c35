import { useSignal } from '@preact/signals';
import { Button } from '../ui/button.tsx';
import { Intro } from '../ui/card.tsx';
import { codeOf, useTask } from '../ui/failure.ts';
import { Field, PasswordField } from '../ui/field.tsx';
import { Form } from '../ui/form.tsx';
import { texts } from '../ui/texts.ts';
import type { Vault } from '../vault.ts';
import { logOut, signIn, unlock } from './session.ts';

interface UnlockProps {
  /** A session whose vault is locked: only the password is missing. */
  vault: Vault | undefined;
  onCreate: () => void;
  onForgot: () => void;
}

export function Unlock({ vault, onCreate, onForgot }: UnlockProps) {
  const email = useSignal(vault?.email ?? '');
  const password = useSignal('');
  const totp = useSignal('');
  const asksTotp = useSignal(false);
  const task = useTask();
  const submit = (): void =>
    task.run(
      async () => {
        if (vault === undefined)
          await signIn(credentials(email.value, password.value, asksTotp.value ? totp.value : undefined));
        else await unlock(vault, password.value);
      },
      (error) => {
        const first = codeOf(error) === 'totp_required' && !asksTotp.value;
        if (first) asksTotp.value = true;
        return first;
      },
    );
  return (
    <>
      <Intro title={texts.account.unlockTitle}>{texts.account.unlockText}</Intro>
      <Form task={task} onSubmit={submit} waiting={texts.account.opening}>
        {vault === undefined ? (
          <Field label={texts.account.email} value={email} type="email" autoComplete="username" autoFocus />
        ) : (
          <KnownEmail email={vault.email} />
        )}
        <PasswordField
          label={texts.account.password}
          value={password}
          autoComplete="current-password"
          autoFocus={vault !== undefined}
        />
        {asksTotp.value && (
          <Field
            label={texts.account.code}
            value={totp}
            hint={texts.account.codeHint}
            autoComplete="one-time-code"
            inputMode="decimal"
            autoFocus
          />
        )}
        <Button type="submit" kind="primary" size="large" wide busy={task.busy.value}>
          {texts.account.unlock}
        </Button>
      </Form>
      <div class="row between under">
        {vault === undefined ? (
          <Button kind="plain" size="small" onClick={onCreate}>
            {texts.account.noAccount}
          </Button>
        ) : (
          <Button kind="plain" size="small" onClick={() => task.run(() => logOut(vault))}>
            {texts.account.otherAccount}
          </Button>
        )}
        <Button kind="plain" size="small" onClick={onForgot}>
          {texts.account.forgot}
        </Button>
      </div>
    </>
  );
}

/** Read-only, and named so that password managers find the right entry. */
function KnownEmail({ email }: { email: string }) {
  return (
    <div class="field">
      <label for="known-email">{texts.account.email}</label>
      <input id="known-email" class="input" type="email" autoComplete="username" value={email} readOnly />
    </div>
  );
}

function credentials(email: string, password: string, totp: string | undefined) {
  return { email: email.trim(), password, ...(totp === undefined ? {} : { totp: totp.trim() }) };
}
