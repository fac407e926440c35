import { isPlainObject } from '../../../src/crypto/index.ts';
import type { Fetch } from '../src/index.ts';

type Row = Record<string, unknown>;

/** A refusal in the server's words; thrown in `before` it becomes the answer. */
export class Refusal extends Error {
  readonly code: string;
  readonly status: number;
  constructor(status: number, code: string) {
    super(code);
    this.code = code;
    this.status = status;
  }
}

/**
 * The HTTP contract that the client uses, on rows in memory which a test can read and change as a hostile operator
 * would. It is not the server: those flows are tested against the real one.
 */
export class MemoryServer {
  user: Row = {};
  keys: Row[] = [];
  connections: Row[] = [];
  apps: Row[] = [];
  linkSessions: Row[] = [];
  providers: Row[] = [
    {
      id: 'openai',
      name: 'OpenAI',
      origin: 'https://api.openai.com',
      keyPatterns: ['sk-.+'],
      keyPage: 'https://platform.openai.com/api-keys',
    },
    {
      id: 'anthropic',
      name: 'Anthropic',
      origin: 'https://api.anthropic.com',
      keyPatterns: [],
      keyPage: 'https://console.anthropic.com',
    },
  ];
  /** Everything that was sent: method, path and body. */
  readonly sent: { method: string; path: string; body: string }[] = [];
  /** Runs before a request is handled: another client, or a failure. */
  before: (method: string, path: string) => void | Promise<void> = () => undefined;
  /** Runs once a request was handled: what comes back may be lost. */
  after: (method: string, path: string) => void = () => undefined;

  readonly fetch: Fetch = async (input, init) => {
    const { pathname } = new URL(input);
    const method = init.method ?? 'GET';
    const body = typeof init.body === 'string' ? init.body : '';
    this.sent.push({ method, path: pathname, body });
    try {
      await this.before(method, pathname);
      const bearer = new Headers(init.headers).get('authorization')?.slice('Bearer '.length) ?? '';
      const data = this.#handle(
        method,
        pathname.split('/').slice(2),
        body === '' ? {} : rowOf(JSON.parse(body)),
        bearer,
      );
      this.after(method, pathname);
      return Response.json({ success: true, data });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { code, status } = error;
      return Response.json({ success: false, error: { code, message: 'Refused.', requestId: 'r' } }, { status });
    }
  };

  #handle(method: string, path: string[], body: Row, bearer: string): unknown {
    const [area, one, two, three] = path;
    switch (`${method} ${area}`) {
      case 'POST auth':
        return this.#auth(path.slice(1).join('/'), body);
      case 'GET auth':
        return one === 'me' ? { ...this.user, userId: this.user['userId'] } : page([]);
      case 'GET providers':
        return this.providers;
      case 'GET keys':
        return page(this.keys);
      case 'POST keys':
        this.#writeManifest(body);
        this.keys.push(keyRow(body));
        return {};
      case 'PUT keys':
        return this.#replaceKey(two, body);
      case 'DELETE keys':
        if (three === 'refusal') return {};
        this.#writeManifest(body);
        this.keys = this.keys.filter((key) => key['provider'] !== one || (two !== undefined && key['id'] !== two));
        return {};
      case 'GET link':
        return (
          this.linkSessions.find((session) => session['linkToken'] === bearer) ?? refuse(401, 'link_token_invalid')
        );
      case 'POST link':
        return one === 'authorize' ? this.#authorize(body) : {};
      case 'GET connections':
        return one === undefined ? page(this.connections) : this.connection(one);
      case 'POST connections':
        this.#writeManifest(body);
        this.connections.push(connectionRow(body, 1));
        return {};
      case 'PATCH connections':
        return this.#edit(this.connection(one), body);
      case 'DELETE connections':
        if (body['manifest'] !== undefined) this.#writeManifest(body);
        Object.assign(this.connection(one), {
          status: 'revoked',
          ckVault: undefined,
          tokenVault: undefined,
          grants: [],
        });
        return {};
      default:
        return refuse(404, 'not_found');
    }
  }

  #auth(step: string, body: Row): unknown {
    const session = { id: crypto.randomUUID(), token: 'session-token', expiresAt: '2031-01-01T00:00:00.000Z' };
    switch (step) {
      case 'prelogin':
        return { kdfId: this.user['kdfId'], salt: this.user['salt'] };
      case 'register':
        this.user = { ...body, passwordRevision: 1 };
        return { userId: body['userId'], session };
      case 'recover':
        if (body['recoveryAuth'] !== this.user['recoveryAuth']) refuse(401, 'recovery_failed');
        return { ...this.user, ticket: 'dGlja2V0' };
      case 'recover/complete':
        this.user = { ...this.user, ...body, recoveryId: body['newRecoveryId'] };
        return {};
      case 'logout':
        return {};
      default:
        if (body['authKey'] !== this.user['authKey']) refuse(401, 'login_failed');
        if (step === 'password') this.user = { ...this.user, ...body, authKey: body['newAuthKey'] };
        return { ...this.user, session };
    }
  }

  #writeManifest(body: Row): void {
    if (body['manifestRevision'] !== Number(this.user['manifestRevision']) + 1) refuse(409, 'manifest_conflict');
    this.user = { ...this.user, manifest: body['manifest'], manifestRevision: body['manifestRevision'] };
  }

  #replaceKey(id: string | undefined, body: Row): unknown {
    const key = this.keys.find((row) => row['id'] === id) ?? refuse(404, 'key_not_found');
    if (body['baseVersion'] !== key['version']) refuse(409, 'key_changed');
    const grants = rowsOf(body['grants']);
    const named = [
      ...grants.map((grant) => grant['connectionId']),
      ...(Array.isArray(body['drop']) ? body['drop'] : []),
    ];
    const users = this.connections.filter((row) => rowsOf(row['grants']).some((grant) => grant['keyId'] === id));
    if (users.some((row) => !named.includes(row['id']))) refuse(409, 'connections_changed');
    this.#writeManifest(body);
    const version = Number(key['version']) + 1;
    Object.assign(key, { version, item: body['item'], dekVault: body['dekVault'], origin: body['origin'] });
    for (const row of users) {
      const fresh = grants.find((grant) => grant['connectionId'] === row['id']);
      const others = rowsOf(row['grants']).filter((grant) => grant['keyId'] !== id);
      const own = { keyId: id, provider: key['provider'], version, grant: fresh?.['grant'] };
      row['grants'] = fresh === undefined ? others : [...others, own];
    }
    return { version };
  }

  #authorize(body: Row): unknown {
    const session =
      this.linkSessions.find((row) => row['linkToken'] === body['linkToken']) ?? refuse(401, 'link_token_invalid');
    if (session['mode'] === 'update') return this.#edit(this.connection(String(body['connectionId'])), body);
    this.#writeManifest(body);
    const app = rowOf(session['app']);
    this.connections.push({
      ...connectionRow({ ...body, id: body['connectionId'] }, 0),
      app: { id: app['id'], name: app['name'] },
    });
    return {};
  }

  #edit(row: Row, body: Row): unknown {
    if (body['policy'] === undefined) {
      if (typeof body['paused'] === 'boolean') row['status'] = body['paused'] ? 'paused' : 'active';
      if (body['capCents'] !== undefined) row['capCents'] = body['capCents'] ?? undefined;
      return {};
    }
    if (body['baseRevision'] !== row['revision']) refuse(409, 'connection_changed');
    this.#writeManifest(body);
    Object.assign(row, { policy: body['policy'], revision: Number(row['revision']) + 1, grants: grantRows(body) });
    return {};
  }

  connection(id: string | undefined): Row {
    return this.connections.find((row) => row['id'] === id) ?? refuse(404, 'connection_not_found');
  }
}

function keyRow({ id, provider, origin, version, item, dekVault, isDefault }: Row): Row {
  const row = { id, provider, origin, version, item, dekVault, isDefault: isDefault ?? true };
  return { ...row, connectionCount: 0, createdAt: '2030-01-01T00:00:00.000Z', lastUsedAt: null };
}

function connectionRow(body: Row, generation: number): Row {
  const { id, policy, ckVault, tokenVault } = body;
  const money = { spent: '0', held: '0', resetsAt: null, missingKeys: [] };
  const rest = { status: 'active', revision: 1, generation, createdAt: '2030-01-01T00:00:00.000Z' };
  return { id, kind: rowOf(policy)['kind'], policy, ckVault, tokenVault, ...rest, ...money, grants: grantRows(body) };
}

function grantRows({ policy, grants }: Row): Row[] {
  const providers = rowsOf(rowOf(policy)['providers']);
  return rowsOf(grants).map((grant) => {
    const provider = providers.find((candidate) => candidate['keyId'] === grant['keyId'])?.['id'];
    return { ...grant, provider };
  });
}

export function rowsOf(value: unknown): Row[] {
  return Array.isArray(value) ? value.map(rowOf) : [];
}

export function rowOf(value: unknown): Row {
  return isPlainObject(value) ? value : {};
}

function page(items: Row[]) {
  return { items, nextCursor: null };
}

function refuse(status: number, code: string): never {
  throw new Refusal(status, code);
}
