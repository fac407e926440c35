import { useSignal } from '@preact/signals';
import { Button } from '../ui/button.tsx';
import { Empty, Intro } from '../ui/card.tsx';
import { Icon } from '../ui/icon.tsx';
import { Shown } from '../ui/shelf.tsx';
import { texts } from '../ui/texts.ts';
import type { Store } from '../vault/store.ts';
import type { Connection, Key, Provider } from '../vault.ts';
import { ConnectionCard } from './connection-card.tsx';
import { EditConnection, NewToken, RevokeConnection } from './connection-dialogs.tsx';

type Open = { dialog: 'token' } | { dialog: 'edit' | 'revoke'; connection: Connection };

/** Everything that can spend with the keys of this vault. */
export function Connections({ store }: { store: Store }) {
  const open = useSignal<Open | undefined>(undefined);
  const newToken = (): void => {
    open.value = { dialog: 'token' };
  };
  const close = (): void => {
    open.value = undefined;
  };
  const done = (): void => {
    close();
    void store.connections.reload();
    void store.keys.reload();
  };
  return (
    <div class="stack loose">
      <div class="row between">
        <Intro title={texts.vault.connections}>{texts.connections.text}</Intro>
        <Button onClick={newToken}>
          <Icon name="plus" />
          {texts.connections.newToken}
        </Button>
      </div>
      <Shown of={store.providers}>
        {(providers) => (
          <Shown of={store.connections}>
            {(connections) => (
              <Cards
                store={store}
                providers={providers}
                connections={connections.filter(({ status }) => status !== 'revoked')}
                onOpen={(dialog, connection) => (open.value = { dialog, connection })}
              />
            )}
          </Shown>
        )}
      </Shown>
      {open.value !== undefined && (
        <Shown of={store.providers}>
          {(providers) => (
            <Shown of={store.keys}>
              {(keys) =>
                open.value !== undefined &&
                dialogOf(open.value, { store, keys, providers, onClose: close, onDone: done })
              }
            </Shown>
          )}
        </Shown>
      )}
    </div>
  );
}

interface CardsProps {
  store: Store;
  providers: readonly Provider[];
  connections: readonly Connection[];
  onOpen: (dialog: 'edit' | 'revoke', connection: Connection) => void;
}

function Cards({ store, providers, connections, onOpen }: CardsProps) {
  if (connections.length === 0) {
    return <Empty title={texts.connections.emptyTitle} text={texts.connections.empty} />;
  }
  return (
    <ul class="cards">
      {connections.map((connection) => (
        <ConnectionCard
          key={connection.id}
          store={store}
          providers={providers}
          connection={connection}
          onEdit={() => onOpen('edit', connection)}
          onRevoke={() => onOpen('revoke', connection)}
        />
      ))}
    </ul>
  );
}

interface Parts {
  store: Store;
  keys: readonly Key[];
  providers: readonly Provider[];
  onClose: () => void;
  onDone: () => void;
}

function dialogOf(open: Open, parts: Parts) {
  if (open.dialog === 'token') return <NewToken {...parts} />;
  if (open.dialog === 'edit') return <EditConnection {...parts} connection={open.connection} />;
  return <RevokeConnection {...parts} connection={open.connection} />;
}
