import { createShelf, type Shelf } from '../ui/shelf.tsx';
import type { Connection, Key, Provider, Vault } from '../vault.ts';

/** What the screens of an open vault share. */
export interface Store {
  vault: Vault;
  keys: Shelf<Key[]>;
  connections: Shelf<Connection[]>;
  providers: Shelf<Provider[]>;
}

export function createStore(vault: Vault): Store {
  const store = {
    vault,
    keys: createShelf(() => vault.keys.list()),
    connections: createShelf(() => vault.connections.list()),
    providers: createShelf(() => vault.keys.providers()),
  };
  const readable = [store.connections, store.providers, ...(vault.unlocked ? [store.keys] : [])];
  for (const shelf of readable) void shelf.reload();
  return store;
}
