import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { KeyPassClient } from '../../sdk/node-sdk/src/index.ts';
import type { Vault } from '../../sdk/vault/src/index.ts';
import { readConfig } from '../../src/config.ts';
import { startServer } from '../../src/server.ts';
import { type AppPage, startAppPage } from './app-page.ts';
import { Camera, launchChromium, openProfile } from './browser.ts';
import { startRecorder } from './upstream.ts';

export const email = 'margaret@example.com';
export const password = 'quiet river under seven hills';

/** Built from parts, so that no scanner takes them for real ones. */
export const secrets = {
  openai: ['sk', 'proj', `${'a'.repeat(40)}T3BlbkFJ${'b'.repeat(40)}`].join('-'),
  anthropic: ['sk', 'ant', 'api03', `${'c'.repeat(93)}AA`].join('-'),
  admin: ['sk', 'admin', 'd'.repeat(40)].join('-'),
};

const completion = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-4o-mini',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hello.' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1200, completion_tokens: 340, total_tokens: 1540 },
};

/** A model whose answers do not say what they used. */
export const unmeteredModel = 'gpt-4.1-nano';

/** The real server with its pages, a provider of the test's own, a browser, and an app on another origin. */
export class PagesWorld {
  readonly #parts: Parts;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  static async start(): Promise<PagesWorld> {
    const folder = await mkdtemp(join(tmpdir(), 'keypass-pages-data-'));
    const mood = { status: 200 };
    const provider = startRecorder(({ body }) =>
      mood.status === 200
        ? Response.json(body.includes(unmeteredModel) ? { ...completion, usage: null } : completion)
        : Response.json({ error: { message: 'Not with this key.' } }, { status: mood.status }),
    );
    const port = freePort();
    const config = readConfig({
      PORT: String(port),
      KEYPASS_ORIGIN: `http://localhost:${port}`,
      KEYPASS_DATA: folder,
      KEYPASS_OPENAI_BASE_URL: provider.origin,
      KEYPASS_PROVIDERS: JSON.stringify({
        ollama: { name: 'Ollama', base_url: `${provider.origin}/v1`, needs_key: false, free: true, context: 8192 },
      }),
      KEYPASS_SHUTDOWN_GRACE_SECONDS: '1',
    });
    const server = await startServer(config, { writeLine: () => undefined });
    const browser = await launchChromium({ hosts: ['keypass.test'] });
    const { context, complaints } = await openProfile(browser);
    const camera = await Camera.create();
    const page = await context.newPage();
    const close = async (): Promise<void> => {
      await browser.close();
      await server.stop();
      await provider.stop();
      await rm(folder, { recursive: true, force: true });
    };
    const { origin } = config;
    return new PagesWorld({
      origin,
      providerOrigin: provider.origin,
      mood,
      browser,
      context,
      complaints,
      camera,
      page,
      app: startAppPage(),
      close,
    });
  }

  get origin(): string {
    return this.#parts.origin;
  }

  /** Where this server sends calls for OpenAI, and for a server of the operator's own: Ollama. */
  get providerOrigin(): string {
    return this.#parts.providerOrigin;
  }

  /** How the provider answers from here on; 200 as usual. */
  set providerStatus(status: number) {
    this.#parts.mood.status = status;
  }

  get browser(): Browser {
    return this.#parts.browser;
  }

  get context(): BrowserContext {
    return this.#parts.context;
  }

  /** The owner's tab. */
  get page(): Page {
    return this.#parts.page;
  }

  get camera(): Camera {
    return this.#parts.camera;
  }

  /** What the pages wrote to the console as errors: refusals of the content security policy, for example. */
  get complaints(): readonly string[] {
    return this.#parts.complaints;
  }

  get app(): AppPage {
    return this.#parts.app;
  }

  /** Opens one of KeyPass's pages in the owner's tab, in front: Chromium lets hidden tabs wait. */
  async visit(path: string): Promise<void> {
    await this.page.bringToFront();
    await this.page.goto('about:blank');
    await this.page.goto(`${this.origin}${path}`);
  }

  linkUrl(linkToken: string): string {
    return `${this.origin}/link#token=${linkToken}&state=abc`;
  }

  /** Registers an app whose page is the world's own, and gives its server's client. */
  async registerApp(vault: Vault): Promise<KeyPassClient> {
    const { origin } = this.app;
    const request = { name: 'Inkwell', allowedOrigins: [origin], redirectUris: [`${origin}/back`] };
    const { clientId, clientSecret } = await vault.apps.create(request);
    return new KeyPassClient({ clientId, clientSecret, baseUrl: this.origin });
  }

  chat(accessToken: string, changes: { model?: string; max_tokens?: number } = {}): Promise<Response> {
    return fetch(`${this.origin}/openai/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'gpt-4o-mini',
        max_tokens: 500,
        messages: [{ role: 'user', content: 'Hello!' }],
        ...changes,
      }),
    });
  }

  async stop(): Promise<void> {
    await this.app.stop();
    await this.#parts.close();
  }
}

interface Parts {
  origin: string;
  providerOrigin: string;
  mood: { status: number };
  browser: Browser;
  context: BrowserContext;
  complaints: string[];
  camera: Camera;
  page: Page;
  app: AppPage;
  close(): Promise<void>;
}

function freePort(): number {
  const probe = Bun.serve({ port: 0, hostname: 'localhost', fetch: () => new Response() });
  const { port } = probe;
  void probe.stop(true);
  if (port === undefined) throw new Error('no free port');
  return port;
}
