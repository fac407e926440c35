import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import type { KeyPass as KeyPassGlobal, LinkHandler, LinkOptions } from '../src/index.ts';
import { startSites } from './stand-in.ts';

/** What the pages of stand-in.ts define. */
declare global {
  var KeyPass: typeof KeyPassGlobal;
  var calls: unknown[][];
  var violations: string[];
  var handler: LinkHandler;
  function options(token: LinkOptions['token']): LinkOptions;
  function start(token: LinkOptions['token']): void;
  function send(type: string, more?: object): void;
  var link: {
    hellos: number;
    received: number;
    token: string;
    state: string;
    hello?: { origin: string; nonce: string };
  };
}

type Sites = Awaited<ReturnType<typeof startSites>>;

const executablePath = '/usr/bin/chromium';
const quiet = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** An app's page in a fresh browser context for each test, with KeyPass and an attacker's site on other origins. */
export class LinkBrowser {
  #running: { browser: Browser; sites: Sites } | undefined;
  #test: { context: BrowserContext; page: Page } | undefined;

  async start(): Promise<void> {
    // Playwright allows every pop-up unless told not to, and blocked ones are one of the cases.
    const ignoreDefaultArgs = ['--disable-popup-blocking'];
    const browser = await chromium.launch({ executablePath, headless: true, args: quiet, ignoreDefaultArgs });
    this.#running = { browser, sites: await startSites() };
  }

  async stop(): Promise<void> {
    await this.#running?.browser.close();
    await this.#running?.sites.stop();
  }

  async startTest(): Promise<void> {
    const { browser, sites } = known(this.#running);
    Object.assign(sites, { status: 'pending', polls: 0, urls: [] });
    const context = await browser.newContext();
    this.#test = { context, page: await context.newPage() };
    await this.page.goto(sites.app);
  }

  async endTest(): Promise<void> {
    await this.#test?.context.close();
  }

  get sites(): Sites {
    return known(this.#running).sites;
  }

  get context(): BrowserContext {
    return known(this.#test).context;
  }

  /** The app's page. */
  get page(): Page {
    return known(this.#test).page;
  }

  /** Opens the Link window from the app's page and waits until it has loaded. */
  async open(token = 'kp_lt_x'): Promise<Page> {
    const opened = this.context.waitForEvent('page');
    await this.page.evaluate((given) => start(given), token);
    const popup = await opened;
    await popup.waitForFunction(() => 'link' in globalThis);
    return popup;
  }

  /** The same, once both sides have shaken hands. */
  async connect(): Promise<Page> {
    const popup = await this.open();
    await popup.waitForFunction(() => link.hello !== undefined);
    return popup;
  }

  /** What the callbacks got, once `count` calls have come. */
  async calls(count: number): Promise<unknown[][]> {
    await this.page.waitForFunction((expected) => globalThis.calls.length >= expected, count);
    return this.page.evaluate(() => globalThis.calls);
  }

  overlays(): Promise<number> {
    return this.page.evaluate(() => document.documentElement.querySelectorAll(':scope > div').length);
  }

  /** Waits until the app's page has asked for the session's status. */
  async polled(): Promise<void> {
    while (this.sites.polls === 0) await Bun.sleep(10);
  }
}

/** Tests that need Chromium: skipped by name where there is none, except in CI. */
export function describeInChromium(name: string, tests: (browser: LinkBrowser) => void): void {
  const isMissing = !existsSync(executablePath);
  if (isMissing && process.env['CI']) {
    test(`${name}: Chromium is installed`, () => expect(existsSync(executablePath)).toBe(true));
  }
  describe.skipIf(isMissing)(`${name} (needs Chromium: apt-get install -y chromium)`, () => {
    const browser = new LinkBrowser();
    beforeAll(() => browser.start());
    beforeEach(() => browser.startTest());
    afterEach(() => browser.endTest());
    afterAll(() => browser.stop());
    tests(browser);
  });
}

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the browser has not started');
  return value;
}

/** What the person approved in most tests. */
export const result = { publicToken: 'kp_pt_x', connectionId: 'con_1' };
