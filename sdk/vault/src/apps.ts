import { given, text, texts, textOrNull, type Fields } from './answer.ts';
import type { Transport } from './transport.ts';

/** An app of this owner as its developer. */
export interface App {
  id: string;
  name: string;
  clientId: string;
  allowedOrigins: string[];
  redirectUris: string[];
  webhookUrl: string | null;
  /** RFC 3339, UTC. */
  createdAt: string;
}

export interface NewApp {
  name: string;
  /** Web origins whose pages may open the Link window for this app. */
  allowedOrigins: readonly string[];
  redirectUris?: readonly string[];
  webhookUrl?: string;
}

/** The apps that this owner develops. They need a session, not an unlocked vault. */
export class Apps {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Registers an app. The secret is shown this once. */
  async create(app: NewApp): Promise<{ id: string; clientId: string; clientSecret: string }> {
    const { name, allowedOrigins, redirectUris, webhookUrl } = app;
    const body = given({ name, allowedOrigins, redirectUris, webhookUrl });
    const answer = await this.#transport.fields('POST', '/v1/apps', { body });
    return { id: text(answer, 'id'), clientId: text(answer, 'clientId'), clientSecret: text(answer, 'clientSecret') };
  }

  async list(): Promise<App[]> {
    return (await this.#transport.all('/v1/apps')).map(appOf);
  }

  async update(id: string, changes: Partial<NewApp>): Promise<void> {
    await this.#transport.request('PATCH', pathOf(id), { body: given({ ...changes }) });
  }

  /** A new secret; the old one lives on for the overlap that the server grants. */
  async rotateSecret(id: string): Promise<{ clientSecret: string }> {
    const answer = await this.#transport.fields('POST', `${pathOf(id)}/secret`);
    return { clientSecret: text(answer, 'clientSecret') };
  }

  /** Removes an app and revokes every connection to it. */
  async remove(id: string): Promise<void> {
    await this.#transport.request('DELETE', pathOf(id));
  }
}

function pathOf(id: string): string {
  return `/v1/apps/${encodeURIComponent(id)}`;
}

function appOf(fields: Fields): App {
  return {
    id: text(fields, 'id'),
    name: text(fields, 'name'),
    clientId: text(fields, 'clientId'),
    allowedOrigins: texts(fields, 'allowedOrigins'),
    redirectUris: texts(fields, 'redirectUris'),
    webhookUrl: textOrNull(fields, 'webhookUrl'),
    createdAt: text(fields, 'createdAt'),
  };
}
