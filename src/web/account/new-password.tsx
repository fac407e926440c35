import type { Signal } from '@preact/signals';
import { PasswordField } from '../ui/field.tsx';
import { texts } from '../ui/texts.ts';
import { shortestPassword } from '../../../sdk/vault/src/index.ts';
import { passwordStrength } from './strength.ts';

interface NewPasswordProps {
  value: Signal<string>;
  email: string;
  fault: boolean;
}

/** A password to be chosen, with a hint of how hard it is to guess. */
export function NewPassword({ value, email, fault }: NewPasswordProps) {
  const strength = passwordStrength(value.value, email);
  const bars = [1, 2, 3, 4].map((step) => <i key={step} class={step <= strength ? 'on' : ''} />);
  const hint = (
    <div class="stack tight">
      <div class={strength >= 3 ? 'strength good' : 'strength'} aria-hidden="true">
        {bars}
      </div>
      <span aria-live="polite">{texts.account.strengths[strength]}</span>
    </div>
  );
  return (
    <PasswordField
      label={texts.account.newPassword}
      value={value}
      autoComplete="new-password"
      hint={hint}
      fault={fault && value.value.length < shortestPassword ? texts.account.passwordFault : undefined}
    />
  );
}
