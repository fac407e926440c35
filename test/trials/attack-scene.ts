import { newUuid } from '../../src/crypto/index.ts';
import { policyScopes } from '../../src/crypto/policy.ts';
import { linkApp, openVault, password, registerApp } from '../harness/people.ts';
import { freePort, KeyPassProcess } from '../harness/process.ts';
import { type AttackedProviders, startProviders } from './attack-provider.ts';
import type { Words } from './attack/case.ts';
import { modelOf, providerIds } from './attack/providers.ts';

/** A server in a process of its own with an owner, an app and its tokens, before providers that write down what comes. */
export interface Scene {
  readonly server: KeyPassProcess;
  readonly providers: AttackedProviders;
  readonly words: Words;
  /** The owner's key of each provider. */
  readonly keys: Readonly<Record<string, string>>;
  /** What must be seen nowhere but where it belongs, by name: tokens, keys, passwords, codes. */
  readonly secrets: Readonly<Record<string, string>>;
}

export async function openScene(
  databaseUrl: string | undefined,
  onEnd: (cleanup: () => unknown) => void,
): Promise<Scene> {
  const providers = await startProviders(providerIds);
  onEnd(() => providers.stop());
  const server = new KeyPassProcess(freePort(), settingsOf(providers, databaseUrl));
  onEnd(() => server.remove());
  await server.start();

  const { vault, token: session, recoveryCode } = await openVault(server);
  // The first looks as real ones do: those are known by their looks where a provider quotes them.
  const keys = Object.fromEntries(
    providerIds.map((id) => [id, `${id === 'openai' ? 'sk-' : ''}${id}-key-${newUuid()}`]),
  );
  for (const provider of providerIds) await vault.keys.add({ provider, secret: keys[provider] ?? '' });
  const usual = { providers: [...providerIds], budgetCents: 100_000_000 };
  const create = async (name: string, allowance: object) =>
    await vault.connections.create({ name, ...usual, ...allowance });
  const wide = await create('wide', {
    scopes: policyScopes.filter((scope) => scope !== 'stateful' && scope !== 'unmetered'),
  });
  const models = Object.fromEntries(providerIds.map((id) => [id, [modelOf(id)]]));
  const narrow = await create('narrow', { scopes: ['chat'], models });
  const full = await create('full', { scopes: [...policyScopes] });
  const paused = await create('paused', {});
  await vault.connections.update(paused.id, { paused: true });
  const revoked = await create('revoked', {});
  await vault.connections.revoke(revoked.id);

  const app = await registerApp(server, session);
  const linked = await linkApp(vault, app);
  const linkToken = await app.linkToken();
  const waiting = await vault.link.approve(await app.linkToken(), { providers: ['openai'], budgetCents: 100 });
  const appSecret = atob(app.basic.slice('Basic '.length)).split(':')[1] ?? '';
  const words: Words = {
    HOST: `localhost:${server.port}`,
    PORT: String(server.port),
    SINK: providers.sink,
    MARK: `canary${newUuid().slice(0, 8)}`,
    TOKEN: wide.accessToken,
    NARROW: narrow.accessToken,
    FULL: full.accessToken,
    PAUSED: paused.accessToken,
    REVOKED: revoked.accessToken,
    SESSION: session,
    SECRET: appSecret,
    LINK: linkToken,
    PUBLIC: waiting.publicToken ?? '',
    OTHER: linked.accessToken,
    KEY: keys['openai'] ?? '',
  };
  const { HOST: _host, PORT: _port, SINK: _sink, KEY: _key, ...secret } = words;
  return { server, providers, words, keys, secrets: { ...secret, ...keys, password, recoveryCode } };
}

function settingsOf({ origins }: AttackedProviders, databaseUrl: string | undefined): Record<string, string> {
  const settings = Object.entries(origins).map(([id, origin]) => [`KEYPASS_${id.toUpperCase()}_BASE_URL`, origin]);
  return { ...Object.fromEntries(settings), ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }) };
}
