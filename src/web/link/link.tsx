import { Gate } from '../account/gate.tsx';
import { access } from '../account/session.ts';
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { Button, ButtonLink } from '../ui/button.tsx';
import { Intro } from '../ui/card.tsx';
import { Icon, Mark } from '../ui/icon.tsx';
import { mount } from '../ui/mount.tsx';
import { Progress, Steps } from '../ui/progress.tsx';
import { texts } from '../ui/texts.ts';
import { type Asked, Flow } from './flow.ts';
import { Consent } from './consent.tsx';
import { Asker, consentSteps, Footer, WhoAsks } from './who.tsx';

const flow = new Flow(window);

function LinkPage() {
  const stage = flow.stage.value;
  return (
    <div class="consent">
      <header class="consent-top">
        <span class="brand">
          <Mark size={22} />
          KeyPass
        </span>
        {stage.at === 'asked' && (
          <Button kind="plain" size="small" label={texts.close} onClick={() => void flow.close()}>
            <Icon name="close" />
          </Button>
        )}
      </header>
      <main id="main">
        {stage.at === 'checking' && (
          <div class="consent-body">
            <Progress text={texts.link.waiting} />
          </div>
        )}
        {stage.at === 'asked' && <Screens asked={stage.asked} />}
        {stage.at === 'ended' && <Ended code={stage.code} back={stage.back} />}
        {stage.at === 'leaving' && <Last title={texts.link.returning(stage.app)} />}
        {stage.at === 'approved' && (
          <Last title={texts.link.approvedTitle} text={texts.link.approved(stage.app)} tone="good" />
        )}
        {stage.at === 'denied' && <Last title={texts.link.deniedTitle} text={texts.link.denied} />}
      </main>
    </div>
  );
}

function Screens({ asked }: { asked: Asked }) {
  const seen = useSignal(false);
  if (!seen.value) {
    const go = (): void => {
      seen.value = true;
    };
    return <WhoAsks asked={asked} onNext={go} onDeny={() => void flow.deny()} />;
  }
  const above = (
    <>
      <Asker asked={asked} />
      <Steps total={consentSteps} current={2} />
    </>
  );
  return (
    <>
      <Gate above={above}>{(vault) => <Consent flow={flow} asked={asked} vault={vault} />}</Gate>
      {access.value.state !== 'open' && (
        <Footer>
          <Button kind="plain" onClick={() => void flow.deny()}>
            {texts.link.deny}
          </Button>
        </Footer>
      )}
    </>
  );
}

/** Why it is over, and the way on: back to the app where there is one, once more where that can help. */
function Ended({ code, back }: { code: string; back: string | undefined }) {
  const known = texts.link.ends[code];
  const [title, text] = known ?? [texts.link.failed, texts.errors[code] ?? texts.errors['unknown'] ?? ''];
  return (
    <Last title={title} text={text} tone="warn">
      {known === undefined && <Button onClick={() => void flow.start()}>{texts.retry}</Button>}
      {back !== undefined && <ButtonLink href={back}>{texts.link.goBack}</ButtonLink>}
    </Last>
  );
}

interface LastProps {
  title: string;
  text?: string;
  tone?: 'good' | 'warn';
  children?: ComponentChildren;
}

function Last({ title, text, tone, children }: LastProps) {
  return (
    <div class="consent-body last" role="status">
      <span class={`seal ${tone ?? ''}`}>
        <Icon name={tone === 'good' ? 'check' : tone === 'warn' ? 'alert' : 'info'} size={22} />
      </span>
      <Intro title={title} focus>
        {text}
      </Intro>
      {children}
    </div>
  );
}

mount(<LinkPage />);
void flow.start();
