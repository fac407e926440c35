import { parse as parseToml } from 'smol-toml';
import ipaddr from 'ipaddr.js';
import { type Catalogue, catalogueOf, customProviders, providerIds, providers } from './providers/index.ts';

/** What KeyPass runs with: read once at start, frozen, the same for every part. */
export interface Config {
  readonly port: number;
  readonly hostname: string;
  /** The public origin, as browsers see it: scheme, host and port, nothing after. */
  readonly origin: string;
  /** Folder of the embedded database and, by default, of the pepper. */
  readonly dataFolder: string;
  /** A PostgreSQL server instead of the embedded database. */
  readonly databaseUrl: string | null;
  readonly pepperFile: string;
  readonly registration: 'open' | 'invite' | 'closed';
  /** Address ranges (CIDR) whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
  /** Web origins that may call the proxy from a page. */
  readonly corsOrigins: readonly string[];
  /** Hosts, addresses and ranges (CIDR) that webhooks may go to besides public https ones. */
  readonly webhookAllowedHosts: readonly string[];
  /** The operator's own providers as they were set: JSON on one line. */
  readonly customProviders: string | null;
  /** Everything that may be called: the providers that KeyPass brings along, and those. */
  readonly providers: Catalogue;
  /** A file of prices over the catalogue's. */
  readonly pricesFile: string | null;
  readonly maxJsonBytes: number;
  /** Of all forms with files that are held at one time. */
  readonly maxUploadBytes: number;
  /** Of one file that is passed on as it comes. */
  readonly maxFileBytes: number;
  /** Milliseconds: until an upstream answers with headers, without a byte of its answer, and for one call as a whole. */
  readonly upstreamFirstByteMs: number;
  readonly upstreamSilenceMs: number;
  readonly upstreamTotalMs: number;
  /** Seconds that an unused connection to an upstream is kept; 0: each call opens its own. */
  readonly keepAliveSeconds: number;
  /** Days after which a call's receipt is deleted, or null: never. */
  readonly receiptDays: number | null;
  /** Seconds that running streams get to end at shutdown. */
  readonly shutdownGraceSeconds: number;
}

/** The settings of one value each by their names, in the order of docs/configuration.md. */
const names = {
  port: 'PORT',
  hostname: 'HOST',
  origin: 'KEYPASS_ORIGIN',
  trustedProxies: 'KEYPASS_TRUSTED_PROXIES',
  corsOrigins: 'KEYPASS_CORS_ORIGINS',
  webhookAllowedHosts: 'KEYPASS_WEBHOOK_ALLOWED_HOSTS',
  dataFolder: 'KEYPASS_DATA',
  databaseUrl: 'DATABASE_URL',
  pepperFile: 'KEYPASS_PEPPER_FILE',
  receiptDays: 'KEYPASS_RECEIPT_DAYS',
  registration: 'KEYPASS_REGISTRATION',
  customProviders: 'KEYPASS_PROVIDERS',
  pricesFile: 'KEYPASS_PRICES_FILE',
  maxJsonBytes: 'KEYPASS_MAX_JSON_BYTES',
  maxUploadBytes: 'KEYPASS_MAX_UPLOAD_BYTES',
  maxFileBytes: 'KEYPASS_MAX_FILE_BYTES',
  upstreamFirstByteMs: 'KEYPASS_FIRST_BYTE_TIMEOUT_MS',
  upstreamSilenceMs: 'KEYPASS_SILENCE_TIMEOUT_MS',
  upstreamTotalMs: 'KEYPASS_TOTAL_TIMEOUT_MS',
  keepAliveSeconds: 'KEYPASS_KEEP_ALIVE_SECONDS',
  shutdownGraceSeconds: 'KEYPASS_SHUTDOWN_GRACE_SECONDS',
} as const satisfies Record<Exclude<keyof Config, 'providers'>, string>;

function baseUrlName(provider: string): string {
  return `KEYPASS_${provider.toUpperCase()}_BASE_URL`;
}

/** Every setting there is. */
export const settingNames: readonly string[] = [...Object.values(names), ...providerIds.map(baseUrlName)];

/** Every fault of a configuration at once, each with what was expected. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(
      `The configuration has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n  ${faults.join('\n  ')}`,
    );
    this.faults = faults;
  }
}

type Values = Record<string, string>;

/**
 * Reads environment variables over the same names in the text of a `keypass.toml`.
 * Throws a {@link ConfigError} that names every fault; values of secrets are never repeated in it.
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>>, toml?: string): Config {
  const faults: string[] = [];
  const values = { ...fileValues(toml, faults), ...environmentValues(environment) };
  const read = new Reader(values, faults);

  const port = read.integer(names.port, 8787, 0, 65_535);
  const hostname = read.text(names.hostname, 'localhost');
  const origin = read.origin(names.origin, `http://localhost:${port}`);
  const dataFolder = read.text(names.dataFolder, './data');
  const config: Config = {
    port,
    hostname,
    origin,
    dataFolder,
    databaseUrl: read.databaseUrl(names.databaseUrl),
    pepperFile: read.text(names.pepperFile, `${dataFolder}/pepper.json`),
    registration: read.oneOf(
      names.registration,
      ['open', 'invite', 'closed'],
      isLoopback(origin) && isLoopbackHost(hostname) ? 'open' : 'invite',
    ),
    trustedProxies: read.list(names.trustedProxies, isCidr, 'address ranges such as 10.0.0.0/8'),
    corsOrigins: read.list(names.corsOrigins, isWebOrigin, 'origins such as https://app.example'),
    webhookAllowedHosts: read.list(
      names.webhookAllowedHosts,
      isHostOrRange,
      'host names, addresses or ranges such as hooks.internal or 10.0.0.0/8',
    ),
    ...read.providers(names.customProviders),
    pricesFile: read.text(names.pricesFile, '') || null,
    maxJsonBytes: read.integer(names.maxJsonBytes, 32 * 1024 * 1024, 1024, 256 * 1024 * 1024),
    maxUploadBytes: read.integer(names.maxUploadBytes, 256 * 1024 * 1024, 1024, 16 * 1024 ** 3),
    maxFileBytes: read.integer(names.maxFileBytes, 2 * 1024 ** 3, 1024, 16 * 1024 ** 3),
    upstreamFirstByteMs: read.integer(names.upstreamFirstByteMs, 600_000, 100, 3_600_000),
    upstreamSilenceMs: read.integer(names.upstreamSilenceMs, 600_000, 100, 3_600_000),
    upstreamTotalMs: read.integer(names.upstreamTotalMs, 3_600_000, 100, 86_400_000),
    // Load balancers close what has been idle for a minute; Bun may be eight seconds late.
    keepAliveSeconds: read.integer(names.keepAliveSeconds, 45, 0, 300),
    // A month's bill can be looked at until the next month has ended.
    receiptDays: read.integerOrNull(names.receiptDays, 62, 36_500),
    shutdownGraceSeconds: read.integer(names.shutdownGraceSeconds, 30, 0, 3600),
  };
  read.refuseUnknown();
  if (faults.length > 0) throw new ConfigError(faults);
  return Object.freeze(config);
}

/**
 * The configuration as an operator may see it: what is in force, one `NAME=value` line for each setting, as it would be
 * set; nothing after the sign where it is not. The database's password is masked.
 */
export function describeConfig({ providers: inForce, ...config }: Config): string[] {
  const values = new Map(Object.entries({ ...config, databaseUrl: config.databaseUrl && masked(config.databaseUrl) }));
  return [
    ...Object.entries(names).map(([member, name]) => `${name}=${String(values.get(member) ?? '')}`),
    ...providerIds.map((id) => `${baseUrlName(id)}=${inForce.get(id)?.origin ?? ''}`),
  ];
}

/** Whether an origin can only be reached from this machine. */
export function isLoopback(origin: string): boolean {
  return isLoopbackHost(new URL(origin).hostname);
}

function isLoopbackHost(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    /^127(\.\d+){3}$/.test(hostname)
  );
}

/** Variables of other programs may stand in the environment; a misspelt one of ours may not. */
const foreign = new Set(['KEYPASS_VECTORS', 'KEYPASS_CONFIG']);

function environmentValues(environment: Readonly<Record<string, string | undefined>>): Values {
  const values: Values = {};
  for (const [name, value] of Object.entries(environment)) {
    const isOurs = name.startsWith('KEYPASS_') || ['PORT', 'HOST', 'DATABASE_URL'].includes(name);
    if (isOurs && !foreign.has(name) && value !== undefined && value !== '') values[name] = value;
  }
  return values;
}

function fileValues(toml: string | undefined, faults: string[]): Values {
  if (toml === undefined) return {};
  let table: Record<string, unknown>;
  try {
    table = parseToml(toml);
  } catch {
    faults.push('keypass.toml: expected TOML, one NAME = value a line');
    return {};
  }
  const values: Values = {};
  for (const [key, value] of Object.entries(table)) {
    // The one setting that is no text: its tables are written as its variable has them.
    const isProviders = key === 'providers';
    const name = isProviders ? names.customProviders : key;
    const items = Array.isArray(value) ? value : [value];
    if (isProviders) values[name] = JSON.stringify(value);
    else if (items.every((item) => ['string', 'number', 'boolean'].includes(typeof item)))
      values[name] = items.join(',');
    else faults.push(`${name}: expected a text, a number or a list of texts`);
  }
  return values;
}

class Reader {
  readonly #values: Values;
  readonly #faults: string[];
  readonly #known = new Set<string>();

  constructor(values: Values, faults: string[]) {
    this.#values = values;
    this.#faults = faults;
  }

  text(name: string, fallback: string): string {
    this.#known.add(name);
    return this.#values[name] ?? fallback;
  }

  integer(name: string, fallback: number, least: number, most: number): number {
    const text = this.text(name, String(fallback));
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    return this.#fault(name, `a whole number from ${least} to ${most}`, fallback);
  }

  /** Null where the setting is not made. */
  integerOrNull(name: string, least: number, most: number): number | null {
    return this.text(name, '') === '' ? null : this.integer(name, least, least, most);
  }

  oneOf<const T extends string>(name: string, allowed: readonly T[], fallback: T): T {
    const text = this.text(name, fallback);
    return allowed.find((value) => value === text) ?? this.#fault(name, `one of ${allowed.join(', ')}`, fallback);
  }

  origin(name: string, fallback: string): string {
    const text = this.text(name, fallback);
    return isWebOrigin(text)
      ? text
      : this.#fault(name, 'an origin such as https://keys.example, with nothing after it', fallback);
  }

  list(name: string, isValid: (item: string) => boolean, expected: string): string[] {
    const items = this.text(name, '')
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
    return items.every(isValid) ? items : this.#fault(name, `${expected}, separated by commas`, []);
  }

  databaseUrl(name: string): string | null {
    const text = this.text(name, '');
    if (text === '') return null;
    const isPostgres = URL.canParse(text) && ['postgres:', 'postgresql:'].includes(new URL(text).protocol);
    return isPostgres ? text : this.#fault(name, 'a URL such as postgres://user:password@host/database', null);
  }

  providers(name: string): Pick<Config, 'customProviders' | 'providers'> {
    const named = providerIds
      .map((id) => ({ id, url: baseUrlName(id) }))
      .filter(({ url }) => this.#values[url] !== undefined);
    const origins = Object.fromEntries(named.map(({ id, url }) => [id, this.origin(url, 'http://localhost')]));
    const text = this.text(name, '');
    const custom = text === '' ? {} : this.#json(name, text);
    const own = customProviders(custom, providers, (place, expected) => this.#fault(place, expected, undefined));
    return { customProviders: text === '' ? null : JSON.stringify(custom), providers: catalogueOf(origins, own) };
  }

  #json(name: string, text: string): unknown {
    try {
      return JSON.parse(text);
    } catch {
      const example = '{"ollama": {"base_url": "http://127.0.0.1:11434/v1", "free": true, "context": 32768}}';
      return this.#fault(name, `JSON such as ${example}`, {});
    }
  }

  refuseUnknown(): void {
    for (const name of Object.keys(this.#values)) {
      if (!this.#known.has(name)) this.#faults.push(`${name}: no such setting; see docs/configuration.md`);
    }
  }

  #fault<T>(name: string, expected: string, fallback: T): T {
    this.#faults.push(`${name}: expected ${expected}`);
    return fallback;
  }
}

function isWebOrigin(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && new URL(text).origin === text;
}

function isCidr(text: string): boolean {
  return ipaddr.isValidCIDR(text);
}

/** A host name or address as a URL has it, without port and brackets, or a range of addresses. */
function isHostOrRange(text: string): boolean {
  return (
    isCidr(text) || ipaddr.isValid(text) || (/^[\w.-]+$/.test(text) && isWebOrigin(`http://${text.toLowerCase()}`))
  );
}

/** A password may stand before the host or among the parameters. */
function masked(url: string): string {
  const shown = new URL(url);
  if (shown.password !== '') shown.password = '***';
  for (const name of shown.searchParams.keys()) if (/pass/i.test(name)) shown.searchParams.set(name, '***');
  return shown.href;
}
