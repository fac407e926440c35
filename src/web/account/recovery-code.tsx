import { useSignal } from '@preact/signals';
import { Button } from '../ui/button.tsx';
import { Card, Intro } from '../ui/card.tsx';
import { Check } from '../ui/choice.tsx';
import { Secret } from '../ui/secret.tsx';
import { texts } from '../ui/texts.ts';
import type { Vault } from '../vault.ts';
import { access } from './session.ts';

/** The code is shown once: one goes on only after saying that it is safe. */
export function RecoveryCode({ vault, code }: { vault: Vault; code: string }) {
  const saved = useSignal(false);
  const go = (): void => {
    access.value = { state: 'open', vault };
  };
  return (
    <>
      <Intro title={texts.account.recoveryTitle} focus>
        {texts.account.recoveryText}
      </Intro>
      <Card>
        <Secret label={texts.account.recoveryCode} value={code} />
        <div class="row">
          <Button size="small" onClick={() => download(vault.email, code)}>
            {texts.account.download}
          </Button>
        </div>
      </Card>
      <Check on={saved.value} onChange={(on) => (saved.value = on)}>
        {texts.account.saved}
      </Check>
      <Button kind="primary" size="large" wide disabled={!saved.value} onClick={go}>
        {texts.account.toVault}
      </Button>
    </>
  );
}

function download(email: string, code: string): void {
  const text = texts.account.recoveryFile(location.origin, email, code);
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = 'keypass-recovery-code.txt';
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
