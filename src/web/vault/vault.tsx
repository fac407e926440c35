import { signal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { type Entrance, Gate } from '../account/gate.tsx';
import { access, lock, logOut } from '../account/session.ts';
import { Connections } from '../connections/connections.tsx';
import { Keys } from '../keys/keys.tsx';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/card.tsx';
import { Menu } from '../ui/menu.tsx';
import { Frame, mount } from '../ui/mount.tsx';
import { texts } from '../ui/texts.ts';
import { Usage } from '../usage/usage.tsx';
import type { Vault } from '../vault.ts';
import { createStore, type Store } from './store.ts';

const areas = { connections: Connections, keys: Keys, usage: Usage } as const;
const areaNames = ['connections', 'keys', 'usage'] as const;
type Area = (typeof areaNames)[number];

/** Somebody wants to cut something off without unlocking. */
const emergency = signal(false);
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
      <Gate entrance={entrance} invite={invite} locked={emergency.value} below={<EmergencyDoor />}>
        {(entered) => (entered.unlocked ? <Areas vault={entered} /> : <Emergency vault={entered} />)}
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

/** Cutting something off must be possible without the password. */
function EmergencyDoor() {
  return (
    <div class="row under">
      <Button kind="plain" size="small" onClick={() => (emergency.value = true)}>
        {texts.vault.emergency}
      </Button>
    </div>
  );
}

/** The connections of a locked vault, as the server tells them: to be paused and revoked, nothing else. */
function Emergency({ vault }: { vault: Vault }) {
  const store = useMemo(() => createStore(vault), [vault]);
  return (
    <div class="column stack loose">
      <Notice tone="warn">
        {texts.vault.emergencyText}{' '}
        <Button size="small" onClick={() => (emergency.value = false)}>
          {texts.account.unlock}
        </Button>
      </Notice>
      <Connections store={store} />
    </div>
  );
}

function Areas({ vault }: { vault: Vault }) {
  const store: Store = useMemo(() => createStore(vault), [vault]);
  const Current = areas[area.value];
  return (
    <>
      <nav class="tabs" aria-label={texts.vault.areas}>
        <ul>
          {areaNames.map((name) => (
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
