import { describe, expect, test } from 'bun:test';
import type { Page } from 'playwright-core';
import { describeInChromium, type LinkBrowser, result } from '../test/browser.ts';

describeInChromium('messages of the Link window', (browser) => {
  describe('hostile messages change nothing', () => {
    test('a wrong nonce, version or shape', async () => {
      const popup = await browser.connect();
      await popup.evaluate(() => {
        send('success', { nonce: 'guess', publicToken: 'evil', connectionId: 'evil' });
        send('success', { v: 2, publicToken: 'evil', connectionId: 'evil' });
        send('success', { publicToken: 7, connectionId: 'evil' });
        send('success', { publicToken: 'evil' });
        send('event', { name: {} });
        send('unknown', {});
        for (const data of ['keypass:success', null, 1, []]) opener?.postMessage(data, link.hello?.origin ?? '');
      });
      await expectOnlyTruth(browser, popup);
    });

    test('the right nonce from another origin in the same window', async () => {
      const popup = await browser.connect();
      const hello = await popup.evaluate(() => link.hello);
      await popup.goto(browser.sites.evil);
      await popup.evaluate((known) => {
        const data = { type: 'keypass:success', v: 1, nonce: known?.nonce, publicToken: 'evil', connectionId: 'evil' };
        opener?.postMessage(data, known?.origin ?? '');
      }, hello);
      await popup.close();
      expect(await browser.calls(1)).toEqual([['exit', undefined]]);
    });

    test('the right nonce and origin from another window', async () => {
      const popup = await browser.connect();
      const nonce = await popup.evaluate(() => link.hello?.nonce);
      await browser.page.evaluate((src) => {
        const frame = document.body.appendChild(document.createElement('iframe'));
        frame.src = src;
        return new Promise((resolve) => frame.addEventListener('load', resolve));
      }, `${browser.sites.api}/link#token=frame`);
      const frame = browser.page.frames().find((candidate) => candidate.url().includes('token=frame'));
      await frame?.evaluate((known) => {
        const data = { type: 'keypass:success', v: 1, nonce: known, publicToken: 'evil', connectionId: 'evil' };
        parent.postMessage(data, '*');
      }, nonce);
      expect(frame).toBeDefined();
      await expectOnlyTruth(browser, popup);
    });

    test('the hello never reaches another origin in the window', async () => {
      await browser.page.clock.install();
      const popup = await browser.open('mute');
      await popup.goto(browser.sites.evil);
      await popup.evaluate(() => {
        Object.assign(globalThis, { heard: 0 });
        addEventListener('message', () => Object.assign(globalThis, { heard: 1 }));
      });
      await browser.page.clock.runFor(1000);
      expect(await popup.evaluate('heard')).toBe(0);
    });

    test('a success before the handshake', async () => {
      const popup = await browser.open('mute');
      await popup.waitForFunction(() => link.hello !== undefined);
      await popup.evaluate(() => {
        send('success', { publicToken: 'early', connectionId: 'early' });
        send('hello-ack');
      });
      await expectOnlyTruth(browser, popup);
    });

    test('a replayed success, and an exit after it', async () => {
      const popup = await browser.connect();
      await popup.evaluate((data) => {
        send('success', data);
        send('success', { ...data, publicToken: 'second' });
        send('exit', { error: { code: 'late', message: '' } });
      }, result);
      await popup.close();
      await browser.calls(1);
      // A second link on the same page: its outcome would follow whatever was left of the first.
      await (await browser.connect()).evaluate(() => send('exit', { error: null }));
      expect(await browser.calls(2)).toEqual([
        ['success', result],
        ['exit', undefined],
      ]);
    });
  });

  describe('closing', () => {
    test('after the handshake it is the person’s exit', async () => {
      await (await browser.connect()).close();
      expect(await browser.calls(1)).toEqual([['exit', undefined]]);
      expect(browser.sites.polls).toBe(0);
    });

    test('a result sent just before closing still counts', async () => {
      const popup = await browser.connect();
      await popup.evaluate((data) => {
        send('success', data);
        close();
      }, result);
      expect(await browser.calls(1)).toEqual([['success', result]]);
    });

    test('before the handshake only the session’s status counts', async () => {
      const popup = await browser.open('mute');
      await popup.close();
      await browser.polled();
      expect(await browser.page.evaluate(() => globalThis.calls)).toEqual([]);
      browser.sites.status = 'expired';
      expect(await browser.calls(1)).toEqual([['exit', expect.objectContaining({ code: 'link_token_expired' })]]);
    });

    test('a page with COOP loses its window at once and goes by the status', async () => {
      await browser.page.goto(`${browser.sites.app}/coop`);
      const popup = await browser.open('kp_lt_coop');
      expect(await popup.evaluate(() => opener)).toBeNull();
      await browser.polled();
      expect(await browser.page.evaluate(() => globalThis.calls)).toEqual([]);
      expect(await browser.overlays()).toBe(1);
      browser.sites.status = 'denied';
      expect(await browser.calls(1)).toEqual([['exit', expect.objectContaining({ code: 'denied' })]]);
    });

    test('there, the result can come by the redirect URI in the window', async () => {
      await browser.page.goto(`${browser.sites.app}/coop`);
      const popup = await browser.open('kp_lt_coop');
      const state = await popup.evaluate(() => link.state);
      await popup.goto(
        `${browser.sites.app}/return#keypass_public_token=t&keypass_connection_id=c&keypass_state=${state}`,
      );
      await popup.evaluate(() => KeyPass.resume(options('')));
      expect(await popup.evaluate(() => globalThis.calls)).toEqual([
        ['success', { publicToken: 't', connectionId: 'c' }],
      ]);
      browser.sites.status = 'approved';
      expect(await browser.calls(1)).toEqual([['exit', expect.objectContaining({ code: 'completed_elsewhere' })]]);
    });
  });
});

/** A true result after the false ones: if any of them had counted, it would stand first. */
async function expectOnlyTruth(browser: LinkBrowser, popup: Page): Promise<void> {
  await popup.evaluate((data) => send('success', data), result);
  expect(await browser.calls(1)).toEqual([['success', result]]);
}
