import { useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { Gate } from '../account/gate.tsx';
import { Button, ButtonLink } from '../ui/button.tsx';
import { Empty, Intro, Notice } from '../ui/card.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Icon } from '../ui/icon.tsx';
import { Frame, mount } from '../ui/mount.tsx';
import { Code, Secret } from '../ui/secret.tsx';
import { createShelf, Shown } from '../ui/shelf.tsx';
import { texts } from '../ui/texts.ts';
import type { App, Vault } from '../vault.ts';
import { type CreatedApp, NewApp } from './new-app.tsx';
import { quickStart } from './quick-start.ts';
import { Webhook } from './webhook.tsx';

function ConsolePage() {
  const actions = <ButtonLink href="/vault">{texts.landing.open}</ButtonLink>;
  return (
    <Frame actions={actions}>
      <Gate locked>{(vault) => <Apps vault={vault} />}</Gate>
    </Frame>
  );
}

/** The apps of a developer; none of this needs the vault's key. */
function Apps({ vault }: { vault: Vault }) {
  const apps = useMemo(() => {
    const shelf = createShelf(() => vault.apps.list());
    void shelf.reload();
    return shelf;
  }, [vault]);
  const making = useSignal(false);
  const made = useSignal<CreatedApp | undefined>(undefined);
  const open = (): void => {
    making.value = true;
  };
  const done = (app: CreatedApp): void => {
    making.value = false;
    made.value = app;
    void apps.reload();
  };
  return (
    <div class="column stack loose">
      <div class="row between">
        <Intro title={texts.console.title}>{texts.console.text}</Intro>
        <Button kind="primary" onClick={open}>
          <Icon name="plus" />
          {texts.console.newApp}
        </Button>
      </div>
      {made.value !== undefined && <Created app={made.value} />}
      <Shown of={apps}>
        {(list) =>
          list.length === 0 ? (
            <Empty title={texts.console.emptyTitle} text={texts.console.empty} />
          ) : (
            <ul class="cards">
              {list.map((app) => (
                <AppCard
                  key={app.id}
                  vault={vault}
                  app={app}
                  fresh={app.id === made.value?.id}
                  onSaved={() => void apps.reload()}
                />
              ))}
            </ul>
          )
        }
      </Shown>
      {making.value && (
        <Dialog title={texts.console.newApp} onClose={() => (making.value = false)}>
          <NewApp vault={vault} onDone={done} onCancel={() => (making.value = false)} />
        </Dialog>
      )}
    </div>
  );
}

function Created({ app }: { app: CreatedApp }) {
  return (
    <section class="card" aria-label={texts.console.createdTitle(app.name)}>
      <div class="pad stack">
        <Intro title={texts.console.createdTitle(app.name)} level={2} focus />
        <Notice tone="warn">{texts.console.createdText}</Notice>
        <Secret label={texts.console.clientId} value={app.clientId} />
        <Secret label={texts.console.clientSecret} value={app.clientSecret} />
        <QuickStart {...app} />
      </div>
    </section>
  );
}

interface AppCardProps {
  vault: Vault;
  app: App;
  fresh: boolean;
  onSaved: () => void;
}

function AppCard({ vault, app, fresh, onSaved }: AppCardProps) {
  // Once opened it stays: a secret that is shown once must not go with a click.
  const opened = useSignal(false);
  const open = ({ currentTarget }: { currentTarget: HTMLDetailsElement }): void => {
    if (currentTarget.open) opened.value = true;
  };
  return (
    <li class="card connection">
      <h2>{app.name}</h2>
      <dl class="facts">
        <Fact name={texts.console.clientId} values={[app.clientId]} />
        <Fact name={texts.console.origins} values={app.allowedOrigins} />
        <Fact name={texts.console.redirects} values={app.redirectUris} />
      </dl>
      {!fresh && (
        <details class="more">
          <summary>{texts.console.quickStart}</summary>
          <QuickStart clientId={app.clientId} allowedOrigins={app.allowedOrigins} />
        </details>
      )}
      <details class="more" onToggle={open}>
        <summary>{texts.webhooks.title}</summary>
        {opened.value && <Webhook vault={vault} app={app} onSaved={onSaved} />}
      </details>
    </li>
  );
}

function Fact({ name, values }: { name: string; values: readonly string[] }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {values.length === 0
          ? texts.console.noRedirects
          : values.map((value) => (
              <code key={value} class="block">
                {value}
              </code>
            ))}
      </dd>
    </div>
  );
}

function QuickStart(app: { clientId: string; clientSecret?: string; allowedOrigins: readonly string[] }) {
  return (
    <div class="stack">
      <p class="muted">{texts.console.quickStartText}</p>
      <ol class="snippets">
        {quickStart({ origin: location.origin, ...app }).map(({ step, code }) => (
          <li key={step}>
            <Code title={texts.console.steps[step]} text={code} />
          </li>
        ))}
      </ol>
    </div>
  );
}

mount(<ConsolePage />);
