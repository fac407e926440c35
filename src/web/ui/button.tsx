import type { ComponentChildren } from 'preact';

interface ButtonProps {
  children: ComponentChildren;
  onClick?: () => void;
  type?: 'button' | 'submit';
  kind?: 'primary' | 'quiet' | 'plain' | 'danger';
  size?: 'small' | 'large';
  wide?: boolean;
  busy?: boolean;
  disabled?: boolean;
  label?: string;
  /** For a button that opens something: whether it is open. */
  expanded?: boolean;
}

/** A button that keeps its focus while it waits or is off, so that nobody on a keyboard loses their place. */
export function Button({ children, onClick, type = 'button', kind = 'quiet', busy, disabled, ...look }: ButtonProps) {
  const off = busy === true || disabled === true;
  const click = (event: Event): void => {
    if (off) event.preventDefault();
    else onClick?.();
  };
  const names = ['button', kind, look.size, look.wide === true ? 'wide' : ''].filter(Boolean).join(' ');
  return (
    <button
      type={type}
      class={names}
      aria-disabled={off}
      aria-busy={busy === true}
      aria-label={look.label}
      aria-expanded={look.expanded}
      onClick={click}
    >
      {busy === true && <span class="spinner" aria-hidden="true" />}
      {children}
    </button>
  );
}

/** A link that looks like a button. */
export function ButtonLink({ children, href, kind = 'quiet', size }: Omit<ButtonProps, 'onClick'> & { href: string }) {
  return (
    <a class={['button', kind, size].filter(Boolean).join(' ')} href={href}>
      {children}
    </a>
  );
}
