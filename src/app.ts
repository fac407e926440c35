import { Elysia } from 'elysia';
import { createLimits } from './accounts/limits.ts';
import { passwordRoutes } from './accounts/password-routes.ts';
import { Passwords } from './accounts/passwords.ts';
import { accountRoutes } from './accounts/routes.ts';
import { Accounts } from './accounts/service.ts';
import { appRoutes } from './apps/routes.ts';
import { Apps } from './apps/service.ts';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import { Access } from './connections/access.ts';
import { Cuts } from './connections/cuts.ts';
import { connectionRoutes } from './connections/routes.ts';
import { ConnectionOverview } from './connections/overview.ts';
import { Connections } from './connections/service.ts';
import { ConnectionUpkeep } from './connections/upkeep.ts';
import type { Pepper } from './crypto/index.ts';
import type { Database } from './database/connect.ts';
import { deleteOldCreations } from './database/idempotency.ts';
import { createAuth, type AppIdentity, type SessionIdentity } from './http/auth.ts';
import { requestIdOf } from './http/context.ts';
import { failureResponse } from './http/envelope.ts';
import { asKeyPassError } from './http/errors.ts';
import { createFrontDoor } from './http/front-door.ts';
import { healthRoutes } from './http/health.ts';
import { openApi } from './http/openapi.ts';
import { strictBodies } from './http/bodies.ts';
import { strictQueries } from './http/queries.ts';
import type { Log } from './http/log.ts';
import { KeyChecks } from './keys/checks.ts';
import { KeyHealth } from './keys/health.ts';
import { providerRoutes } from './keys/provider-routes.ts';
import { keyRoutes } from './keys/routes.ts';
import { Keys } from './keys/service.ts';
import { linkRoutes } from './link/routes.ts';
import { Link } from './link/service.ts';
import { Ledger } from './money/ledger.ts';
import type { PriceBook } from './money/price-book.ts';
import { askableOrigins, freeCallsOf } from './providers/index.ts';
import type { Fetch } from './proxy/ports.ts';
import { Proxy } from './proxy/service.ts';
import { proxyRoutes } from './proxy/routes.ts';
import { NumberedCalls } from './proxy/unified/calls.ts';
import { Models } from './proxy/unified/models.ts';
import { unifiedRoutes } from './proxy/unified/routes.ts';
import { Unified } from './proxy/unified/service.ts';
import { usageRoutes } from './usage/routes.ts';
import { UsageReports } from './usage/service.ts';
import { Courier } from './webhooks/courier.ts';
import { tellKeyInvalid } from './webhooks/events.ts';
import { webhookRoutes } from './webhooks/routes.ts';
import { WebhookSecrets } from './webhooks/secrets.ts';
import type { Network } from './webhooks/sender.ts';
import { Webhooks } from './webhooks/service.ts';
import { WebhookTargets } from './webhooks/targets.ts';
import { version } from './version.ts';
import { createPages, type Assets } from './web/pages.ts';

/** What the process provides. */
export interface Deps {
  readonly config: Config;
  readonly database: Database;
  readonly pepper: Pepper;
  readonly clock: Clock;
  readonly log: Log;
  /** Of every model; the operator's file may be replaced while the server runs. */
  readonly prices: PriceBook;
  /** `fetch` without a time limit of its own. */
  readonly fetch: Fetch;
  /** SHA-256 of a text, at once. */
  readonly digestOf: (text: string) => string;
  /** How webhooks reach apps. */
  readonly network: Network;
  readonly assets: Assets;
}

const sweepMs = 30_000;
const idempotencyMs = 24 * 3600 * 1000;

/** KeyPass, wired: the one place that lists what there is. */
export function createApp(deps: Deps) {
  const { config, database, clock, log } = deps;
  const services = createServices(deps);
  const { accounts, passwords, apps, keys, connections, overview, upkeep, access, link, usage } = services;
  const cookie = cookieRules(config.origin);
  const auth = createAuth<SessionIdentity, AppIdentity>(
    {
      session: (token, transport) => accounts.authenticate(token, transport),
      app: (id, secret) => apps.authenticate(id, secret),
    },
    cookie,
  );
  const limits = createLimits(() => clock.now().getTime());
  const { proxy, unified, models } = createProxies(deps, services);
  const courier = createCourier(deps, services);

  const api = new Elysia({ normalize: false })
    .onError(({ error, request }) =>
      failureResponse(asKeyPassError(error, log, requestIdOf(request)), requestIdOf(request)),
    )
    .use(openApi({ version, origin: config.origin, cookieName: cookie.name }))
    .use(healthRoutes(database))
    .use(proxyRoutes(proxy, log))
    .use(unifiedRoutes(unified, models, log))
    .use(strictBodies())
    .use(strictQueries())
    .use(accountRoutes(accounts, { auth, cookie, limits }))
    .use(passwordRoutes(passwords, { auth, limits }))
    .use(providerRoutes(config.providers))
    .use(
      keyRoutes(keys, {
        auth,
        checks: new KeyChecks({ providers: config.providers, clock, fetch: deps.fetch }),
        health: services.health,
        replaceKey: (userId, key, input) => upkeep.replaceKey(userId, key, input),
        removeKey: (userId, key, manifest) => upkeep.removeKey(userId, key, manifest),
      }),
    )
    .use(appRoutes(apps, { auth, removeApp: (userId, id) => upkeep.removeApp(userId, id) }))
    .use(webhookRoutes(services.webhooks, { auth }))
    .use(linkRoutes(link, { auth, origin: config.origin }))
    .use(connectionRoutes({ connections, overview, access }, { auth }))
    .use(usageRoutes(usage, { auth, onFault: (event, error) => log.fault(event, error) }));

  const pages = createPages(deps.assets, { origin: config.origin, askable: askableOrigins(config.providers) });
  const handle = (request: Request, path: string) => pages(request, path) ?? api.fetch(request);
  return {
    fetch: createFrontDoor(handle, config, log),
    accounts,
    start: () => start(deps, services, courier),
    /** Tells apps what they are due to be told by now, as happens by itself every second. */
    deliver: () => courier.deliver(),
    sweep: () => sweep(deps, services),
    /** Resolves when every call that has ended is booked. */
    settled: () => proxy.settled(),
  };
}

type Services = ReturnType<typeof createServices>;

/** The slices' services, without what serves them. */
export function createServices(deps: Omit<Deps, 'prices' | 'fetch' | 'network' | 'assets'>) {
  const { config, database, pepper, clock, log } = deps;
  const onFault = (event: string, error: unknown) => log.fault(event, error);
  const { providers } = config;
  const originOf = (provider: string) => providers.get(provider)?.origin;
  const ledger = new Ledger({ database, clock, isAlone: database.kind === 'embedded', onFault });
  const accounts = new Accounts({ database, pepper, clock, registration: config.registration });
  const passwords = new Passwords({ database, pepper, clock });
  const targets = new WebhookTargets({ origin: config.origin, allowedHosts: config.webhookAllowedHosts });
  const webhookSecrets = new WebhookSecrets({ database, pepper, clock });
  const webhooks = new Webhooks({ database, clock, secrets: webhookSecrets, targets });
  const apps = new Apps({ database, clock, webhooks });
  const keys = new Keys({ database, accounts, clock, providers });
  const health = new KeyHealth({ database, clock });
  const connections = new Connections({ database, pepper, clock, accounts, keys });
  const overview = new ConnectionOverview({ database, ledger });
  const upkeep = new ConnectionUpkeep({ database, pepper, clock, accounts, apps, keys, connections });
  const access = new Access({ database, pepper, clock, ledger, digestOf: deps.digestOf, originOf });
  const cuts = new Cuts({ database, clock, onFault });
  const link = new Link({
    database,
    pepper,
    clock,
    origin: config.origin,
    providers,
    accounts,
    apps,
    connections,
    access,
  });
  const usage = new UsageReports({
    database,
    clock,
    receiptDays: config.receiptDays,
    freeCalls: freeCallsOf(providers),
    booked: () => ledger.booked(),
  });
  return {
    ledger,
    accounts,
    passwords,
    apps,
    keys,
    health,
    connections,
    overview,
    upkeep,
    access,
    cuts,
    link,
    usage,
    targets,
    webhookSecrets,
    webhooks,
  };
}

/** Bytes of an answer that are copied to read its usage; a longer one is booked at its bound. */
const maxCopyBytes = 8 * 1024 * 1024;
/** An answer whose stop reason was seen is read on for its usage for this long (money: aborts). */
const drainMs = 1000;
/** Less than tools wait for a list of models. */
const listPatienceMs = 5_000;

/** The providers' own APIs, and the one chat for all of them on top. */
function createProxies(
  { config, database, clock, log, prices, fetch }: Deps,
  { access, cuts, health, ledger }: Services,
) {
  const limits = {
    maxJsonBytes: config.maxJsonBytes,
    maxUploadBytes: config.maxUploadBytes,
    maxFileBytes: config.maxFileBytes,
    maxCopyBytes,
    firstByteMs: config.upstreamFirstByteMs,
    silenceMs: config.upstreamSilenceMs,
    totalMs: config.upstreamTotalMs,
    drainMs,
  };
  const onFault = (event: string, error: unknown) => log.fault(event, error);
  const granted = {
    authenticate: access.authenticate.bind(access),
    keySeal: access.keySeal.bind(access),
    useKey: access.useKey.bind(access),
    onCut: cuts.onCut.bind(cuts),
  };
  const proxy = new Proxy({
    access: granted,
    ledger,
    prices,
    fetch,
    limits,
    providers: config.providers,
    origin: config.origin,
    clock,
    onFault,
    onKeyRefused: async (call) => {
      await health.refused(call);
      // What is out of credit works again without a new key.
      if (call.status !== 402) await tellKeyInvalid(database.sql, call, clock.now());
    },
    onKeyTaken: (key) => health.taken(key),
  });
  const numbered = new NumberedCalls({ database, clock, ledger });
  const parts = { proxy, providers: config.providers, prices, numbered, limits, clock };
  return { proxy, unified: new Unified(parts), models: new Models({ ...parts, patienceMs: listPatienceMs }) };
}

/** Carries events to apps. */
function createCourier({ database, clock, log, network }: Deps, { targets, webhookSecrets }: Services): Courier {
  const onFault = (event: string, error: unknown) => log.fault(event, error);
  const userAgent = `KeyPass/${version}`;
  return new Courier({ database, clock, secrets: webhookSecrets, targets, network, userAgent, onFault });
}

/** Removes what time has made useless: sessions, tickets, replies, wraps that can no longer be exchanged. */
async function sweep(
  { database, clock }: Deps,
  { accounts, access, upkeep, link, usage, webhooks }: Services,
): Promise<void> {
  access.sweep();
  await accounts.sweep();
  await link.sweep();
  await upkeep.sweep();
  await usage.sweep();
  await webhooks.sweep();
  await deleteOldCreations(database.sql, new Date(clock.now().getTime() - idempotencyMs));
}

/** What runs beside the requests; the returned function ends it. */
async function start(deps: Deps, services: Services, courier: Courier) {
  const stops = [
    await services.ledger.start(),
    await services.cuts.start(),
    await services.access.start(),
    courier.start(),
  ];
  const clean = () => {
    sweep(deps, services).catch((error: unknown) => deps.log.fault('sweep_failed', error));
  };
  clean();
  const timer = setInterval(clean, sweepMs);
  return async () => {
    clearInterval(timer);
    for (const stop of stops) await stop();
  };
}

/** The `__Host-` prefix binds the cookie to this host over TLS; plain http on loopback cannot carry it in every browser. */
function cookieRules(origin: string) {
  return { name: origin.startsWith('https:') ? '__Host-keypass' : 'keypass', origin };
}
