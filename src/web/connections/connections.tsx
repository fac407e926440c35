import { useSignal } from '@preact/signals';
import { Button } from '../ui/button.tsx';
import { Empty, Intro } from '../ui/card.tsx';
import { Icon } from '../ui/icon.tsx';
import { Shown } from '../ui/shelf.tsx';
import { texts } from '../ui/texts.ts';
import type { Store } from '../vault/store.ts';
import type { Connection, Provider } from '../vault.ts';
import { ConnectionCard } from './connection-card.tsx';
import { EditConnection, NewToken, RevokeConnection } from './connection-dialogs.tsx';

type Open =
  | { dialog: 'token' }
  | { dialog: 'edit'; connection: Connection }
  | { dialog: 'revoke'; connection: Connection };

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
    if (store.vault.unlocked) void store.keys.reload();
  };
  return (
    <div class="stack loose">
      <div class="row between">
        <Intro title={texts.vault.connections}>{texts.connections.text}</Intro>
        {store.vault.unlocked && (
          <Button onClick={newToken}>
            <Icon name="plus" />
            {texts.connections.newToken}
          </Button>
        )}
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
      {open.value !== undefined && <OpenDialog open={open.value} store={store} onClose={close} onDone={done} />}
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

interface OpenDialogProps {
  open: Open;
  store: Store;
  onClose: () => void;
  onDone: () => void;
}

function OpenDialog({ open, ...parts }: OpenDialogProps) {
  // Revoking waits for nothing.
  if (open.dialog === 'revoke') return <RevokeConnection {...parts} connection={open.connection} />;
  return (
    <Shown of={parts.store.providers}>
      {(providers) => (
        <Shown of={parts.store.keys}>
          {(keys) =>
            open.dialog === 'token' ? (
              <NewToken {...parts} keys={keys} providers={providers} />
            ) : (
              <EditConnection {...parts} keys={keys} providers={providers} connection={open.connection} />
            )
          }
        </Shown>
      )}
    </Shown>
  );
}
