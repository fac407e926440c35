import { useSignal } from '@preact/signals';
import { Button } from '../ui/button.tsx';
import { Empty, Intro } from '../ui/card.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Icon } from '../ui/icon.tsx';
import { Menu } from '../ui/menu.tsx';
import { Monogram } from '../ui/monogram.tsx';
import { Shown } from '../ui/shelf.tsx';
import { texts } from '../ui/texts.ts';
import { sayDay } from '../ui/time.ts';
import type { Store } from '../vault/store.ts';
import type { Key } from '../vault.ts';
import { AddKey, nameOf } from './add-key.tsx';
import { RemoveKey, ReplaceKey, RevealKey } from './key-dialogs.tsx';

type Open = { dialog: 'add' } | { dialog: 'reveal' | 'replace' | 'remove'; entry: Key };

/** The provider keys of the vault. */
export function Keys({ store }: { store: Store }) {
  const open = useSignal<Open | undefined>(undefined);
  const close = (): void => {
    open.value = undefined;
  };
  const changed = (): void => {
    close();
    void store.keys.reload();
    void store.connections.reload();
  };
  const add = (): void => {
    open.value = { dialog: 'add' };
  };
  return (
    <div class="stack loose">
      <div class="row between">
        <Intro title={texts.vault.keys}>{texts.keys.text}</Intro>
        <Button kind="primary" onClick={add}>
          <Icon name="plus" />
          {texts.keys.add}
        </Button>
      </div>
      <Shown of={store.providers}>
        {(providers) => (
          <Shown of={store.keys}>
            {(keys) =>
              keys.length === 0 ? (
                <Empty title={texts.keys.emptyTitle} text={texts.keys.empty} />
              ) : (
                <ul class="card rows">
                  {keys.map((entry) => (
                    <KeyRow
                      key={entry.id}
                      entry={entry}
                      provider={nameOf(providers, entry.provider)}
                      onOpen={(dialog) => (open.value = { dialog, entry })}
                    />
                  ))}
                </ul>
              )
            }
          </Shown>
        )}
      </Shown>
      {open.value !== undefined && <KeyDialog store={store} open={open.value} onClose={close} onDone={changed} />}
    </div>
  );
}

interface KeyRowProps {
  entry: Key;
  provider: string;
  onOpen: (dialog: 'reveal' | 'replace' | 'remove') => void;
}

function KeyRow({ entry, provider, onOpen }: KeyRowProps) {
  const name = entry.label === '' ? provider : `${provider}, ${entry.label}`;
  const facts = [
    texts.keys.usedBy(entry.connectionCount),
    ...(entry.lastUsedAt === null ? [] : [texts.keys.lastUsed(sayDay(entry.lastUsedAt))]),
  ];
  return (
    <li class="item">
      <Monogram name={provider} />
      <div class="what">
        <div class="name">
          {provider}
          {entry.label !== '' && <span class="muted">{entry.label}</span>}
          {entry.hint !== '' && <code class="muted">…{entry.hint}</code>}
        </div>
        <div class="muted small">{facts.join(' · ')}</div>
      </div>
      <Menu
        label={texts.keys.actions(name)}
        items={[
          { text: texts.keys.reveal, onClick: () => onOpen('reveal') },
          { text: texts.keys.replace, onClick: () => onOpen('replace') },
          { text: texts.remove, onClick: () => onOpen('remove'), bad: true },
        ]}
      />
    </li>
  );
}

interface KeyDialogProps {
  store: Store;
  open: Open;
  onClose: () => void;
  onDone: () => void;
}

function KeyDialog({ store, open, onClose, onDone }: KeyDialogProps) {
  const { vault } = store;
  if (open.dialog === 'add') {
    return (
      <Dialog title={texts.keys.addTitle} onClose={onClose}>
        <Shown of={store.providers}>
          {(providers) => <AddKey vault={vault} providers={providers} onDone={onDone} onCancel={onClose} />}
        </Shown>
      </Dialog>
    );
  }
  const Body = { reveal: RevealKey, replace: ReplaceKey, remove: RemoveKey }[open.dialog];
  return <Body vault={vault} entry={open.entry} onClose={onClose} onDone={onDone} />;
}
