import { signal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { type Entrance, Gate } from '../account/gate.tsx';
import { access, lock, logOut } from '../account/session.ts';
import { Connections } from '../connections/connections.tsx';
import { Keys } from '../keys/keys.tsx';
import { Menu } from '../ui/menu.tsx';
import { Frame, mount } from '../ui/mount.tsx';
import { texts } from '../ui/texts.ts';
import { Usage } from '../usage/usage.tsx';
import type { Vault } from '../vault.ts';
import { createStore, type Store } from './store.ts';

const areas = { connections: Connections, keys: Keys, usage: Usage } as const;
type Area = keyof typeof areas;

const area = signal<Area>(areaOf(location.hash));
addEventListener('hashchange', () => (area.value = areaOf(location.hash)));

/** `#/keys` → keys. */
function areaOf(hash: string): Area {
  const name = hash.replace('#/', '');
  return name === 'keys' || name === 'usage' ? name : 'connections';
}

/** `#create`, `#invite=kp_in_…`: an invitation leaves the address at once, as every token does. */
function takeEntrance(): { entrance: Entrance; invite: string | undefined } {
  const invite = new URLSearchParams(location.hash.slice(1)).get('invite') ?? undefined;
  const entrance = invite !== undefined || location.hash === '#create' ? 'create' : 'unlock';
  if (entrance === 'create') history.replaceState(null, '', location.pathname);
  return { entrance, invite };
}

function VaultPage({ entrance, invite }: { entrance: Entrance; invite: string | undefined }) {
  const now = access.value;
  const vault = now.state === 'open' || now.state === 'locked' ? now.vault : undefined;
  return (
    <Frame actions={vault === undefined ? undefined : <Account vault={vault} open={now.state === 'open'} />}>
      <Gate entrance={entrance} invite={invite}>
        {(opened) => <Areas vault={opened} />}
      </Gate>
    </Frame>
  );
}

function Account({ vault, open }: { vault: Vault; open: boolean }) {
  const items = [
    ...(open ? [{ text: texts.account.lock, onClick: () => lock(vault) }] : []),
    { text: texts.account.logout, onClick: () => void logOut(vault) },
  ];
  return (
    <>
      <span class="muted small who">{vault.email}</span>
      <Menu label={texts.account.menu} icon="user" items={items} />
    </>
  );
}

function Areas({ vault }: { vault: Vault }) {
  const store: Store = useMemo(() => createStore(vault), [vault]);
  const Current = areas[area.value];
  return (
    <>
      <nav class="tabs" aria-label={texts.vault.areas}>
        <ul>
          {(Object.keys(areas) as Area[]).map((name) => (
            <li key={name}>
              <a href={`#/${name}`} aria-current={area.value === name ? 'page' : undefined}>
                {texts.vault[name]}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <div class="column">
        <Current store={store} />
      </div>
    </>
  );
}

mount(<VaultPage {...takeEntrance()} />);
