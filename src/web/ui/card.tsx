import type { ComponentChildren } from 'preact';
import { focusOnce } from './focus.ts';
import { Icon } from './icon.tsx';

export function Card({ children, label }: { children: ComponentChildren; label?: string }) {
  return (
    <section class="card" aria-label={label}>
      <div class="pad stack">{children}</div>
    </section>
  );
}

type Tone = 'plain' | 'good' | 'warn' | 'bad';

/** Something to know. A fault is announced at once, the rest when the reader gets there. */
export function Notice({ tone = 'plain', children }: { tone?: Tone; children: ComponentChildren }) {
  return (
    <div class={`notice ${tone}`} role={tone === 'bad' ? 'alert' : undefined}>
      <Icon name={tone === 'good' ? 'check' : tone === 'plain' ? 'info' : 'alert'} />
      <div>{children}</div>
    </div>
  );
}

export function Badge({ tone = 'plain', children }: { tone?: Tone; children: ComponentChildren }) {
  return <span class={`badge ${tone}`}>{children}</span>;
}

/** Nothing here yet: what it is and what to do next. */
export function Empty({ title, text, children }: { title: string; text: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <h2>{title}</h2>
      <p>{text}</p>
      {children}
    </div>
  );
}

interface IntroProps {
  title: string;
  children?: ComponentChildren;
  /** Takes the focus when the screen replaces another, so that it is read out. */
  focus?: boolean;
  level?: 1 | 2;
}

/** The head of a screen. */
export function Intro({ title, children, focus, level = 1 }: IntroProps) {
  const Heading = level === 1 ? 'h1' : 'h2';
  return (
    <div class="intro">
      <Heading tabIndex={-1} ref={focus === true ? focusOnce : null}>
        {title}
      </Heading>
      {children !== undefined && <p>{children}</p>}
    </div>
  );
}
