import type { Signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

interface CheckProps {
  on: boolean;
  onChange: (on: boolean) => void;
  children: ComponentChildren;
  /** Cannot be chosen now. */
  off?: boolean;
}

export function Check({ on, onChange, children, off = false }: CheckProps) {
  return (
    <label class="check">
      <input type="checkbox" checked={on} disabled={off} onChange={(event) => onChange(event.currentTarget.checked)} />
      <span>{children}</span>
    </label>
  );
}

interface SegmentedProps<T extends string> {
  label: string;
  options: readonly { value: T; text: string }[];
  value: Signal<T>;
}

/** One of a few: radio buttons, drawn as one control. */
export function Segmented<T extends string>({ label, options, value }: SegmentedProps<T>) {
  const name = useId();
  return (
    <div class="segmented" role="radiogroup" aria-label={label}>
      {options.map((option) => (
        <label key={option.value}>
          <input
            type="radio"
            name={name}
            checked={value.value === option.value}
            onChange={() => (value.value = option.value)}
          />
          {option.text}
        </label>
      ))}
    </div>
  );
}

interface SelectProps {
  label: string;
  value: string;
  options: readonly { value: string; text: string }[];
  onChange: (value: string) => void;
}

export function Select({ label, value, options, onChange }: SelectProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} class="input" value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.text}
          </option>
        ))}
      </select>
    </div>
  );
}
