import { useSignal } from '@preact/signals';
import { Button } from '../ui/button.tsx';
import { Empty, Intro, Notice } from '../ui/card.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Icon } from '../ui/icon.tsx';
import { Menu } from '../ui/menu.tsx';
import { Monogram } from '../ui/monogram.tsx';
import { peekShelf, Shown } from '../ui/shelf.tsx';
import { texts } from '../ui/texts.ts';
import { sayDay, sayMoment } from '../ui/time.ts';
import type { Store } from '../vault/store.ts';
import type { Key, Provider } from '../vault.ts';
import { AddKey, nameOf } from './add-key.tsx';
import { CheckStoredKey, RemoveKey, ReplaceKey, RevealKey } from './key-dialogs.tsx';

type KeyAction = 'reveal' | 'replace' | 'remove' | 'check';
type Open = { dialog: 'add' } | { dialog: KeyAction; entry: Key };

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
                      canCheck={checkable(providers, entry) !== undefined}
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

/** The provider that can be asked about a key: one that takes keys, where this one was sealed for. */
function checkable(providers: readonly Provider[], { provider, origin }: Key): Provider | undefined {
  return providers.find((one) => one.id === provider && one.origin === origin && one.needsKey);
}

interface KeyRowProps {
  entry: Key;
  provider: string;
  canCheck: boolean;
  onOpen: (dialog: KeyAction) => void;
}

function KeyRow({ entry, provider, canCheck, onOpen }: KeyRowProps) {
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
          ...(canCheck ? [{ text: texts.checks.check, onClick: () => onOpen('check') }] : []),
          { text: texts.keys.reveal, onClick: () => onOpen('reveal') },
          { text: texts.keys.replace, onClick: () => onOpen('replace') },
          { text: texts.remove, onClick: () => onOpen('remove'), bad: true },
        ]}
      />
      {entry.refusal !== null && <Refused {...{ entry, name, provider, canCheck, onOpen }} />}
    </li>
  );
}

/** What the provider makes of a key, and the two things one can do about it. */
function Refused({ entry, name, provider, canCheck, onOpen }: KeyRowProps & { name: string }) {
  const { refusal } = entry;
  if (refusal === null) return null;
  return (
    <div class="beneath">
      <Notice tone="warn">
        <p>{texts.checks.since[refusal.verdict](provider, sayMoment(refusal.at))}</p>
        <div class="row">
          {canCheck && (
            <Button size="small" label={`${texts.checks.checkIt}: ${name}`} onClick={() => onOpen('check')}>
              {texts.checks.checkIt}
            </Button>
          )}
          <Button size="small" label={`${texts.checks.replaceIt}: ${name}`} onClick={() => onOpen('replace')}>
            {texts.checks.replaceIt}
          </Button>
        </div>
      </Notice>
    </div>
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
  const { dialog, entry } = open;
  const provider = checkable(peekShelf(store.providers) ?? [], entry);
  const common = { vault, entry, provider, onClose };
  if (dialog === 'check') return <CheckStoredKey {...common} onChanged={() => void store.keys.reload()} />;
  const Body = { reveal: RevealKey, replace: ReplaceKey, remove: RemoveKey }[dialog];
  return <Body {...common} onDone={onDone} />;
}
