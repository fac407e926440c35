import { Gate } from '../account/gate.tsx';
import { useSignal } from '@preact/signals';
import { Button } from '../ui/button.tsx';
import { Intro } from '../ui/card.tsx';
import { Icon, Mark } from '../ui/icon.tsx';
import { mount } from '../ui/mount.tsx';
import { Progress } from '../ui/progress.tsx';
import { texts } from '../ui/texts.ts';
import { type Asked, Flow } from './flow.ts';
import { Consent } from './consent.tsx';
import { Asker, WhoAsks } from './who.tsx';

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
        {stage.at === 'ended' && <Ended code={stage.code} />}
        {stage.at === 'leaving' && <Last title={texts.link.returning(stage.app)} />}
        {stage.at === 'approved' && (
          <Last title={texts.link.approvedTitle} text={texts.link.approved(stage.app)} good />
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
  return <Gate above={<Asker asked={asked} />}>{(vault) => <Consent flow={flow} asked={asked} vault={vault} />}</Gate>;
}

function Ended({ code }: { code: string }) {
  const [title, text] = texts.link.ends[code] ?? [texts.errors['unknown'] ?? '', texts.errors[code] ?? ''];
  return <Last title={title} text={text} />;
}

function Last({ title, text, good }: { title: string; text?: string; good?: boolean }) {
  return (
    <div class="consent-body last" role="status">
      <span class={good === true ? 'seal good' : 'seal'}>
        <Icon name={good === true ? 'check' : 'info'} size={22} />
      </span>
      <Intro title={title} focus>
        {text}
      </Intro>
    </div>
  );
}

mount(<LinkPage />);
void flow.start();
