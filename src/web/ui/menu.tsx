import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { Button } from './button.tsx';
import { Icon, type IconName } from './icon.tsx';

export interface MenuItem {
  text: string;
  onClick: () => void;
  bad?: boolean;
}

/** A button with a short list of actions; Escape and a click elsewhere close it. */
export function Menu({ label, icon = 'more', items }: { label: string; icon?: IconName; items: MenuItem[] }) {
  const open = useSignal(false);
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open.value) return undefined;
    const close = (event: Event): void => {
      if (event.target instanceof Node && element.current?.contains(event.target) !== true) open.value = false;
    };
    document.addEventListener('pointerdown', close);
    document.addEventListener('focusin', close);
    return () => {
      document.removeEventListener('pointerdown', close);
      document.removeEventListener('focusin', close);
    };
  }, [open.value]);
  const escape = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || !open.value) return;
    open.value = false;
    element.current?.querySelector('button')?.focus();
  };
  const choose = (item: MenuItem): void => {
    open.value = false;
    // A dialog that opens now gives the focus back to what has it at that moment.
    element.current?.querySelector('button')?.focus();
    item.onClick();
  };
  return (
    <div class="menu" ref={element} onKeyDown={escape}>
      <Button kind="plain" size="small" label={label} expanded={open.value} onClick={() => (open.value = !open.value)}>
        <Icon name={icon} />
      </Button>
      {open.value && (
        <ul>
          {items.map((item) => (
            <li key={item.text}>
              <button type="button" class={item.bad === true ? 'bad' : ''} onClick={() => choose(item)}>
                {item.text}
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
