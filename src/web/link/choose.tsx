import { useSignal } from '@preact/signals';
import { chosenProviders, keysOf, ProviderChoice } from '../connections/allowance.tsx';
import { AddKey, nameOf } from '../keys/add-key.tsx';
import { Button } from '../ui/button.tsx';
import { Intro, Notice } from '../ui/card.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Monogram } from '../ui/monogram.tsx';
import { Steps } from '../ui/progress.tsx';
import { texts } from '../ui/texts.ts';
import type { Vault } from '../vault.ts';
import type { ScreenProps } from './screen.ts';
import { consentSteps, Footer } from './who.tsx';

/** Which providers, with which keys, for which models; a missing key is added here. */
export function ChooseScreen(props: ScreenProps & { vault: Vault; onAdded: () => Promise<void> }) {
  const { asked, draft, keys, providers, vault, onNext, onDeny, onAdded } = props;
  const checked = useSignal(false);
  const adding = useSignal<string | undefined>(undefined);
  const complete = chosenProviders(draft, keys) !== undefined;
  const next = (): void => {
    checked.value = true;
    if (complete) onNext();
  };
  const added = async (id: string): Promise<void> => {
    await onAdded();
    const provider = draft.providers.find((candidate) => candidate.id === id);
    if (provider !== undefined) provider.on.value = true;
    adding.value = undefined;
  };
  const none = draft.providers.every(({ on }) => !on.value);
  return (
    <>
      <Steps total={consentSteps} current={3} />
      <Intro title={texts.link.choose} focus>
        {texts.link.chooseText(asked.request.app.name)}
      </Intro>
      <ul class="choices">
        {draft.providers.map((provider) =>
          keysOf(keys, provider.id).length === 0 ? (
            <Missing
              key={provider.id}
              name={nameOf(providers, provider.id)}
              onAdd={() => (adding.value = provider.id)}
            />
          ) : (
            <ProviderChoice
              key={provider.id}
              draft={provider}
              keys={keys}
              providers={providers}
              checked={checked.value}
            />
          ),
        )}
      </ul>
      {checked.value && none && <Notice tone="bad">{texts.connections.providersFault}</Notice>}
      <Footer>
        <Button kind="plain" onClick={onDeny}>
          {texts.link.deny}
        </Button>
        <Button kind="primary" size="large" disabled={none} onClick={next}>
          {texts.next}
        </Button>
      </Footer>
      {adding.value !== undefined && (
        <Dialog title={texts.keys.addTitle} onClose={() => (adding.value = undefined)}>
          <AddKey
            vault={vault}
            providers={providers}
            only={adding.value}
            onDone={() => void added(adding.value ?? '')}
            onCancel={() => (adding.value = undefined)}
          />
        </Dialog>
      )}
    </>
  );
}

function Missing({ name, onAdd }: { name: string; onAdd: () => void }) {
  return (
    <li class="choice">
      <div class="row between">
        <span class="row">
          <Monogram name={name} />
          <span>
            <strong>{name}</strong>
            <br />
            <span class="muted small">{texts.link.missing}</span>
          </span>
        </span>
        <Button size="small" label={`${texts.link.addHere}: ${name}`} onClick={onAdd}>
          {texts.link.addHere}
        </Button>
      </div>
    </li>
  );
}
