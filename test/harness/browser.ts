import { existsSync } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

const places = [process.env['CHROMIUM'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

const chromiumPath = places.find((path) => path !== undefined && existsSync(path)) ?? null;

/** True where browser tests are skipped; in CI nothing is, so there they fail without a browser. */
export const isChromiumMissing = chromiumPath === null && process.env['CI'] === undefined;

/** The name of a suite, which says what would bring it where it is skipped. */
export function withChromium(name: string): string {
  return isChromiumMissing ? `${name} (needs Chromium: apt-get install chromium, or set CHROMIUM)` : name;
}

const quiet = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
const silent = ['--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** `hosts` are names that lead to this machine: pages there are not on localhost. */
export function launchChromium({ hosts = [] }: { hosts?: string[] } = {}): Promise<Browser> {
  const rules = hosts.map((host) => `MAP ${host} 127.0.0.1`).join(', ');
  const args = [...quiet, ...silent, ...(rules === '' ? [] : [`--host-resolver-rules=${rules}`])];
  return chromium.launch({ ...(chromiumPath === null ? {} : { executablePath: chromiumPath }), args });
}

/** A browser profile of its own; what its pages complain about is collected. */
export async function openProfile(browser: Browser): Promise<{ context: BrowserContext; complaints: string[] }> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 860 },
    reducedMotion: 'reduce',
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  // Under the suite's own limit, so that a failure names the element that never came.
  context.setDefaultTimeout(15_000);
  const complaints: string[] = [];
  context.on('weberror', (error) => complaints.push(String(error.error())));
  context.on('console', (message) => {
    // The browser itself reports refused requests; a refusal that a page handles is no fault of the page.
    const handled = message.text().startsWith('Failed to load resource');
    if (message.type() === 'error' && !handled) complaints.push(message.text());
  });
  return { context, complaints };
}

/** Presses a button that closes its window, which may be gone before the browser has said that the press was done. */
export async function pressToClose(window: Page, name: string): Promise<void> {
  const press = window.getByRole('button', { name }).click();
  const [closed, pressed] = await Promise.allSettled([window.waitForEvent('close'), press]);
  if (closed.status === 'rejected') throw pressed.status === 'rejected' ? pressed.reason : closed.reason;
}

/** In the page, once its script has run there. */
declare const axe: typeof import('axe-core');

const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

/** What axe finds against WCAG 2.2 AA: rule and element, one a line. */
export async function auditPage(page: Page): Promise<string[]> {
  await page.evaluate(await readFile(axePath, 'utf8'));
  return page.evaluate(async (tags) => {
    const { violations } = await axe.run(document, { runOnly: tags });
    return violations.flatMap(({ id, nodes }) =>
      nodes.map((node) => `${id}: ${node.html} ${node.failureSummary ?? ''}`),
    );
  }, rules);
}

/** Takes pictures of screens as they are, in every width and colour scheme, and audits each scheme. */
export class Camera {
  readonly folder: string;
  readonly findings: string[] = [];

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async create(): Promise<Camera> {
    const given = process.env['KEYPASS_TEST_PICTURES'];
    return new Camera(given ?? (await mkdtemp(join(tmpdir(), 'keypass-pages-'))));
  }

  async take(page: Page, name: string): Promise<void> {
    const before = page.viewportSize();
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      for (const [width, height] of [
        [1280, 860],
        [360, 740],
      ] as const) {
        await page.setViewportSize({ width, height });
        const path = join(this.folder, `${name}-${width}-${colorScheme}.png`);
        await page.screenshot({ path, fullPage: true });
        const overflow = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        if (overflow > 0) this.findings.push(`${name} at ${width}: ${overflow} px too wide`);
        const found = await auditPage(page);
        this.findings.push(...found.map((finding) => `${name} ${colorScheme} ${width}: ${finding}`));
      }
    }
    await page.emulateMedia({ colorScheme: 'light' });
    if (before !== null) await page.setViewportSize(before);
  }
}
