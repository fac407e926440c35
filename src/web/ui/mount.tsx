import { render, type ComponentChildren, type VNode } from 'preact';
import { Card, Intro } from './card.tsx';
import { Mark } from './icon.tsx';
import { Secret } from './secret.tsx';
import { texts } from './texts.ts';

/** Draws a page, or explains why this browser cannot encrypt here. */
export function mount(page: VNode, { encrypts = true }: { encrypts?: boolean } = {}): void {
  const root = document.getElementById('root');
  if (root === null) throw new Error('the page has no root');
  const able = !encrypts || (globalThis.isSecureContext && globalThis.crypto?.subtle !== undefined);
  render(able ? page : <Insecure />, root);
}

interface FrameProps {
  children: ComponentChildren;
  actions?: ComponentChildren;
  foot?: boolean;
}

/** Brand and actions above, one main landmark, a line below. */
export function Frame({ children, actions, foot = true }: FrameProps) {
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        {texts.skip}
      </a>
      <header class="top">
        <a class="brand" href="/">
          <Mark />
          KeyPass
        </a>
        <div class="row">{actions}</div>
      </header>
      <main id="main" tabIndex={-1}>
        {children}
      </main>
      {foot && <Foot />}
    </>
  );
}

function Foot() {
  return (
    <footer class="foot row between">
      <span>{texts.footer}</span>
      <nav class="row" aria-label={texts.footerLabel}>
        <a href="/docs">{texts.docs}</a>
        <a href="/docs/api">{texts.api}</a>
      </nav>
    </footer>
  );
}

/** The fragment is the pages' own address, so the jump is done by hand. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

function Insecure() {
  const local = `http://localhost:${location.port === '' ? '80' : location.port}${location.pathname}`;
  return (
    <Frame foot={false}>
      <div class="narrow stack loose">
        <Intro title={texts.insecure.title}>{texts.insecure.text}</Intro>
        {texts.insecure.ways.map(([title, text], index) => (
          <Card key={title}>
            <h2>{title}</h2>
            <p class="muted">{text}</p>
            {index === 0 && <Secret label="URL" value={local} />}
            {index === 2 && (
              <Secret label="SSH" value={`ssh -L ${portOf()}:localhost:${portOf()} ${location.hostname}`} />
            )}
          </Card>
        ))}
      </div>
    </Frame>
  );
}

function portOf(): string {
  return location.port === '' ? '80' : location.port;
}
