import { useSignal, type Signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import { Button } from './button.tsx';
import { focusOnce } from './focus.ts';
import { texts } from './texts.ts';

export interface FieldProps {
  label: string;
  value: Signal<string>;
  type?: 'text' | 'email' | 'password';
  hint?: ComponentChildren;
  fault?: string | undefined;
  placeholder?: string;
  autoComplete?: string;
  inputMode?: 'decimal' | 'text';
  autoFocus?: boolean;
  mono?: boolean;
  prefix?: string;
  rows?: number;
}

/** One labelled input: hint and fault are tied to it, so a screen reader says them with the field. */
export function Field(props: FieldProps & { affix?: ComponentChildren }) {
  const id = useId();
  const { label, value, hint, fault, affix, prefix, rows } = props;
  const described = [hint === undefined ? '' : `${id}-hint`, fault === undefined ? '' : `${id}-fault`].filter(Boolean);
  const common = {
    id,
    class: props.mono === true ? 'input mono' : 'input',
    value: value.value,
    placeholder: props.placeholder,
    autoComplete: props.autoComplete ?? 'off',
    inputMode: props.inputMode,
    'aria-invalid': fault !== undefined,
    'aria-describedby': described.length === 0 ? undefined : described.join(' '),
    spellcheck: false,
    autoCapitalize: 'off' as const,
    ref: props.autoFocus === true ? focusOnce : null,
  };
  const onInput = ({ currentTarget }: { currentTarget: HTMLInputElement | HTMLTextAreaElement }): void => {
    value.value = currentTarget.value;
  };
  const { type = 'text' } = props;
  // One element whichever the type, so that showing a password keeps focus and caret; the types want each by itself.
  const input =
    type === 'password' ? (
      <input {...common} type="password" onInput={onInput} />
    ) : type === 'email' ? (
      <input {...common} type="email" onInput={onInput} />
    ) : (
      <input {...common} type="text" onInput={onInput} />
    );
  const control = rows === undefined ? input : <textarea {...common} rows={rows} onInput={onInput} />;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <div class={affix === undefined ? (prefix === undefined ? '' : 'prefixed') : 'with-affix'}>
        {prefix !== undefined && <span aria-hidden="true">{prefix}</span>}
        {control}
        {affix !== undefined && <div class="affix row">{affix}</div>}
      </div>
      {hint !== undefined && (
        <div class="hint" id={`${id}-hint`}>
          {hint}
        </div>
      )}
      {fault !== undefined && (
        <div class="fault" id={`${id}-fault`} role="alert">
          {fault}
        </div>
      )}
    </div>
  );
}

/** A password or secret that can be shown while it is typed. */
export function PasswordField(props: Omit<FieldProps, 'type' | 'rows' | 'prefix'>) {
  const shown = useSignal(false);
  const toggle = (
    <Button
      kind="plain"
      size="small"
      label={shown.value ? texts.hidePassword : texts.showPassword}
      onClick={() => (shown.value = !shown.value)}
    >
      {shown.value ? texts.hide : texts.show}
    </Button>
  );
  return <Field {...props} type={shown.value ? 'text' : 'password'} affix={toggle} />;
}
