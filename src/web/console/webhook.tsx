import { useSignal } from '@preact/signals';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/card.tsx';
import { useTask } from '../ui/failure.ts';
import { Field } from '../ui/field.tsx';
import { Form } from '../ui/form.tsx';
import { Secret } from '../ui/secret.tsx';
import { texts } from '../ui/texts.ts';
import type { App, Vault } from '../vault.ts';
import { redirectsOf } from './addresses.ts';
import { Deliveries } from './deliveries.tsx';

interface Shown {
  secret: string;
  text: string;
}

/** Where an app is told what happens, with what it checks that, and how it went. */
export function Webhook({ vault, app, onSaved }: { vault: Vault; app: App; onSaved: () => void }) {
  const url = useSignal(app.webhookUrl ?? '');
  const saved = useSignal(app.webhookUrl);
  const said = useSignal('');
  const checked = useSignal(false);
  const shown = useSignal<Shown | undefined>(undefined);
  const task = useTask();
  const wanted = url.value.trim();
  const isFaulty = wanted !== '' && redirectsOf([wanted]) === undefined;
  const save = (): void => {
    checked.value = true;
    said.value = '';
    if (isFaulty) return;
    task.run(async () => {
      const webhookUrl = wanted === '' ? null : wanted;
      const { webhookSecret: secret } = await vault.apps.update(app.id, { webhookUrl });
      if (secret !== null) shown.value = { secret, text: texts.webhooks.secretText };
      if (webhookUrl === null) shown.value = undefined;
      saved.value = webhookUrl;
      onSaved();
      said.value = webhookUrl === null ? texts.webhooks.removed : texts.webhooks.saved;
    });
  };
  const renew = (): void =>
    task.run(async () => {
      const { webhookSecret: secret } = await vault.apps.rotateWebhookSecret(app.id);
      shown.value = { secret, text: texts.webhooks.secretBoth };
    });
  return (
    <div class="stack">
      <p class="muted small">
        {texts.webhooks.text} <a href="/docs/webhooks">{texts.webhooks.how}</a>
      </p>
      <Form task={task} onSubmit={save} label={texts.webhooks.title}>
        <Field
          label={texts.webhooks.url}
          value={url}
          hint={texts.webhooks.urlHint}
          fault={checked.value && isFaulty ? texts.webhooks.urlFault : undefined}
          placeholder="https://app.example.com/keypass/webhook"
          mono
        />
        <div class="row">
          <Button type="submit" busy={task.busy.value}>
            {texts.webhooks.save}
          </Button>
          {saved.value !== null && (
            <Button kind="plain" disabled={task.busy.value} onClick={renew}>
              {texts.webhooks.newSecret}
            </Button>
          )}
          <span class="muted small" role="status">
            {said.value}
          </span>
        </div>
      </Form>
      {shown.value !== undefined && (
        <>
          <Notice tone="warn">{shown.value.text}</Notice>
          <Secret label={texts.webhooks.secret} value={shown.value.secret} />
        </>
      )}
      {saved.value !== null && <Deliveries vault={vault} appId={app.id} />}
    </div>
  );
}
