import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/card.tsx';
import { Icon } from '../ui/icon.tsx';
import { Monogram } from '../ui/monogram.tsx';
import { Steps } from '../ui/progress.tsx';
import { texts } from '../ui/texts.ts';
import type { Asked, Route } from './flow.ts';

export const consentSteps = 5;

/** The first screen: the app's name is its own word, so the address that the browser vouches for stands larger. */
export function WhoAsks({ asked, onNext, onDeny }: { asked: Asked; onNext: () => void; onDeny: () => void }) {
  const { request, route } = asked;
  const app = request.app.name;
  return (
    <div class="consent-body">
      <Steps total={consentSteps} current={1} />
      <div class="asker large">
        <Monogram name={app} />
        <p class="asker-name">{app}</p>
        <h1 class="asker-address">{addressOf(route)}</h1>
        {route.by === 'window' && (
          <p class="source">
            <Icon name="shield" size={14} />
            {texts.link.verified}
          </p>
        )}
        <p class="wants">{request.mode === 'update' ? texts.link.updateWants : texts.link.wants}</p>
      </div>
      {route.by === 'redirect' && (
        <Notice tone="warn">
          <strong>{texts.link.unverified}</strong>
          <p>{texts.link.redirected}</p>
        </Notice>
      )}
      <p class="muted small centered">{texts.link.noKeySeen(app)}</p>
      <Footer>
        <Button kind="plain" onClick={onDeny}>
          {texts.link.deny}
        </Button>
        <Button kind="primary" size="large" onClick={onNext}>
          {texts.next}
        </Button>
      </Footer>
    </div>
  );
}

/** Who asks, kept in sight on every later screen. */
export function Asker({ asked }: { asked: Asked }) {
  return (
    <div class="asker">
      <Monogram name={asked.request.app.name} />
      <div>
        <strong>{asked.request.app.name}</strong>
        <span class={asked.route.by === 'window' ? 'source' : 'source warn'}>
          <Icon name={asked.route.by === 'window' ? 'shield' : 'alert'} size={14} />
          {addressOf(asked.route)}
        </span>
      </div>
    </div>
  );
}

export function Footer({ children }: { children: preact.ComponentChildren }) {
  return <div class="consent-foot">{children}</div>;
}

/** The host, without what every address has; the scheme stays where it is not https. */
export function addressOf(route: Route): string {
  const { protocol, host, origin } = new URL(route.by === 'window' ? route.origin : route.redirectUri);
  return protocol === 'https:' ? host : origin;
}
