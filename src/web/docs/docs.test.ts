import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { readPages } from '../../../scripts/build-docs.ts';
import { Camera, isChromiumMissing, launchChromium, openProfile, withChromium } from '../../../test/harness/browser.ts';
import { openTestDatabase } from '../../../test/harness/databases.ts';
import { startTestServer, type TestServer } from '../../../test/harness/server.ts';
import { addressOf } from './page.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({ database: await openTestDatabase('embedded') });
});

afterAll(async () => {
  await server.stop();
  await server.database.close();
});

describe('documentation over HTTP', () => {
  test.each(readPages().map((page) => addressOf(page.name)))('%s is text that may run nothing', async (path) => {
    const response = await fetch(`${server.url}${path}`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'none';");
    expect(response.headers.get('cross-origin-opener-policy')).toBe('same-origin');
    expect(await response.text()).toEndWith('</html>\n');
  });

  test('a page that is not there is not found', async () => {
    for (const path of ['/docs/nothing', '/docs/errors/', '/docs/../vault.html', '/docs/Errors']) {
      expect((await fetch(`${server.url}${path}`)).status).toBe(404);
    }
  });

  test('the explorer has no origin, and only its own files may be embedded by a page without one', async () => {
    const response = await fetch(`${server.url}/docs/api`);
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toStartWith("sandbox allow-scripts; default-src 'none';");
    expect(policy).not.toMatch(/allow-same-origin|https?:|\*|unsafe-eval/);
    const html = await response.text();
    const scripts = [...html.matchAll(/src="([^"]+)"/g)].map(([, src]) => src ?? '');
    expect(scripts.length).toBe(3);
    for (const script of scripts) {
      const { headers } = await fetch(`${server.url}${script}`);
      expect(headers.get('cross-origin-resource-policy')).toBe('cross-origin');
      expect(headers.get('cache-control')).toContain('immutable');
    }
    const page = await (await fetch(`${server.url}/vault`)).text();
    const [, other = ''] = /src="(\/assets\/[^"]+)"/.exec(page) ?? [];
    const { headers } = await fetch(`${server.url}${other}`);
    expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
  });
});

describe.skipIf(isChromiumMissing)(withChromium('documentation'), () => {
  let browser: Browser;
  let context: BrowserContext;
  let complaints: string[];
  let page: Page;
  let requests: string[];

  beforeAll(async () => {
    browser = await launchChromium();
    ({ context, complaints } = await openProfile(browser));
    page = await context.newPage();
    requests = [];
    page.on('request', (request) => requests.push(request.url()));
  });

  afterAll(async () => {
    await browser?.close();
  });

  test('reads well in every width and scheme, and passes the audit', async () => {
    const camera = await Camera.create();
    for (const path of ['/docs', '/docs/errors', '/docs/proxy', '/docs/quick-start']) {
      await page.goto(`${server.url}${path}`);
      await camera.take(page, path.replaceAll('/', '-').slice(1));
    }
    expect(camera.findings).toEqual([]);
  }, 60_000);

  test("an error's address shows its section", async () => {
    await page.goto(`${server.url}/docs/errors#budget_exceeded`);
    const top = await page.locator('#budget_exceeded').evaluate((heading) => heading.getBoundingClientRect().top);
    expect(top).toBeGreaterThanOrEqual(0);
    expect(top).toBeLessThan(200);
  });

  test('the explorer draws the document and calls nobody else', async () => {
    requests.length = 0;
    await page.goto(`${server.url}/docs/api`);
    await page.getByRole('heading', { name: 'KeyPass', level: 1 }).waitFor();
    await page
      .getByRole('link', { name: /^Proxy/ })
      .or(page.getByRole('button', { name: /^Proxy/ }))
      .first()
      .click();
    await page.getByText("Chat with any provider in OpenAI's shape").first().waitFor();
    expect(await page.evaluate(() => window.origin)).toBe('null');
    expect(requests).toContain(`${server.url}/openapi.json`);
    expect(requests.filter((url) => !url.startsWith(`${server.url}/`) && !url.startsWith('data:'))).toEqual([]);
    for (const width of [1280, 360]) {
      await page.setViewportSize({ width, height: 800 });
      // The explorer lays itself out anew after the window has changed.
      await page.waitForFunction(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth);
    }
  });

  test('nothing was refused or broken on the way', () => {
    expect(complaints).toEqual([]);
  });
});
