import { expect, test } from 'bun:test';
import { Vault } from '../../sdk/vault/src/index.ts';
import { eachDatabase } from '../../test/harness/databases.ts';
import { slowly, startProviders } from '../../test/harness/providers.ts';
import { startTestServer } from '../../test/harness/server.ts';
import { withCleanup } from '../../test/trials/faults.ts';

/** Policies have whole seconds: time enough for a stream to begin. */
const approvalMs = 2_000;

eachDatabase((_kind, open) => {
  test('a stream ends with the last moment of its approval, though nobody says or looks at anything', async () => {
    await withCleanup(async (onEnd) => {
      const providers = await startProviders();
      onEnd(() => providers.stop());
      const settings = { KEYPASS_OPENAI_BASE_URL: providers.origins.openai ?? '' };
      // Nothing runs beside the requests: no re-check either.
      const server = await startTestServer({ database: await open(), settings, isIdle: true });
      onEnd(() => server.stop());
      const person = { baseUrl: server.url, email: 'ada@example.com', password: 'a long password' };
      const { vault } = await Vault.register(person);
      await vault.keys.add({ provider: 'openai', secret: `sk-proj-${'o'.repeat(40)}` });
      const expiresAt = new Date(Math.ceil((Date.now() + approvalMs) / 1000) * 1000);
      const allowance = { name: 'brief', providers: ['openai'], budgetCents: 100, expiresAt };
      const { accessToken } = await vault.connections.create(allowance);
      providers.answerNext('openai', slowly(1_000, 8));
      const body = { model: 'gpt-4o', stream: true, messages: [{ role: 'user', content: 'Hello.' }] };
      const headers = { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' };
      const answer = await fetch(`${server.url}/openai/v1/chat/completions`, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      });
      const text = await answer.text().catch(() => 'broken off');
      expect(text).not.toContain('[DONE]');
      expect(Date.now()).toBeGreaterThanOrEqual(expiresAt.getTime());
      await server.settled();
      const { items } = await vault.calls({ limit: 1 });
      expect(items[0]?.flags).toContain('ended_cut');
    });
  });
});
