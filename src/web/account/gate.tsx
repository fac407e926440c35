import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/card.tsx';
import { sayFailure } from '../ui/failure.ts';
import { Progress } from '../ui/progress.tsx';
import { texts } from '../ui/texts.ts';
import type { Vault } from '../vault.ts';
import { RecoveryCode } from './recovery-code.tsx';
import { Recover } from './recover.tsx';
import { access, restore } from './session.ts';
import { SignUp } from './sign-up.tsx';
import { Unlock } from './unlock.tsx';

export type Entrance = 'unlock' | 'create' | 'recover';

interface GateProps {
  entrance?: Entrance;
  invite?: string | undefined;
  /** Above every screen of the gate, for a window that asks for something. */
  above?: ComponentChildren;
  /** Under the screen that asks a signed-in person to unlock. */
  below?: ComponentChildren;
  /** A session is enough: the page works with a locked vault. */
  locked?: boolean;
  children: (vault: Vault) => ComponentChildren;
}

/** Shows what it guards once somebody has signed in and unlocked; until then the screens that lead there. */
export function Gate({ entrance = 'unlock', invite, above, below, locked = false, children }: GateProps) {
  const screen = useSignal<Entrance>(entrance);
  useEffect(() => {
    if (access.peek().state === 'checking') void restore();
  }, []);
  const now = access.value;
  // Whoever is inside comes back by the password, whichever way led in.
  useEffect(() => {
    if (now.state === 'open') screen.value = 'unlock';
  }, [now.state]);
  if (now.state === 'open' || (now.state === 'locked' && locked)) return <>{children(now.vault)}</>;
  const go = (next: Entrance) => (): void => {
    screen.value = next;
  };
  const screens = {
    unlock: (
      <Unlock vault={now.state === 'locked' ? now.vault : undefined} onCreate={go('create')} onForgot={go('recover')} />
    ),
    create: <SignUp invite={invite} onHave={go('unlock')} />,
    recover: <Recover vault={now.state === 'locked' ? now.vault : undefined} onBack={go('unlock')} />,
  };
  return (
    <div class="narrow stack loose">
      {above}
      {now.state === 'checking' && <Progress text={texts.loading} />}
      {now.state === 'unreachable' && (
        <>
          <Notice tone="bad">{sayFailure(now.error)}</Notice>
          <Button onClick={() => void restore()}>{texts.retry}</Button>
        </>
      )}
      {now.state === 'code' && <RecoveryCode vault={now.vault} code={now.code} />}
      {now.state === 'locked' && (screen.value === 'recover' ? screens.recover : screens.unlock)}
      {now.state === 'locked' && below}
      {now.state === 'out' && screens[screen.value]}
    </div>
  );
}
