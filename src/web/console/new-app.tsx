import { useSignal } from '@preact/signals';
import { Button } from '../ui/button.tsx';
import { useTask } from '../ui/failure.ts';
import { Field } from '../ui/field.tsx';
import { Form } from '../ui/form.tsx';
import { texts } from '../ui/texts.ts';
import type { Vault } from '../vault.ts';
import { lines, originsOf, redirectsOf } from './addresses.ts';

export interface CreatedApp {
  id: string;
  name: string;
  clientId: string;
  clientSecret: string;
  allowedOrigins: string[];
}

interface NewAppProps {
  vault: Vault;
  onDone: (app: CreatedApp) => void;
  onCancel: () => void;
}

export function NewApp({ vault, onDone, onCancel }: NewAppProps) {
  const name = useSignal('');
  const origins = useSignal('');
  const redirects = useSignal('');
  const checked = useSignal(false);
  const task = useTask();
  const allowedOrigins = originsOf(lines(origins.value));
  const redirectUris = redirectsOf(lines(redirects.value));
  const nowhere = allowedOrigins === undefined || (allowedOrigins.length === 0 && redirectUris?.length === 0);
  const submit = (): void => {
    checked.value = true;
    const appName = name.value.trim();
    if (appName === '' || allowedOrigins === undefined || redirectUris === undefined || nowhere) return;
    task.run(async () => {
      const { id, clientId, clientSecret } = await vault.apps.create({ name: appName, allowedOrigins, redirectUris });
      onDone({ id, name: appName, clientId, clientSecret, allowedOrigins });
    });
  };
  return (
    <Form task={task} onSubmit={submit}>
      <Field
        label={texts.console.name}
        value={name}
        hint={texts.console.nameHint}
        fault={checked.value && name.value.trim() === '' ? texts.console.nameFault : undefined}
        autoFocus
      />
      <Field
        label={texts.console.origins}
        value={origins}
        hint={texts.console.originsHint}
        fault={checked.value && nowhere ? texts.console.originsFault : undefined}
        placeholder="https://app.example.com"
        rows={3}
        mono
      />
      <Field
        label={`${texts.console.redirects} (${texts.optional})`}
        value={redirects}
        hint={texts.console.redirectsHint}
        fault={checked.value && redirectUris === undefined ? texts.console.redirectsFault : undefined}
        placeholder="https://app.example.com/connected"
        rows={2}
        mono
      />
      <div class="actions">
        <Button kind="plain" onClick={onCancel}>
          {texts.cancel}
        </Button>
        <Button type="submit" kind="primary" busy={task.busy.value}>
          {texts.console.create}
        </Button>
      </div>
    </Form>
  );
}
