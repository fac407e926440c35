import { describe, expect, test } from 'bun:test';
import { describeInChromium, result } from '../test/browser.ts';

describeInChromium('the Link window', (browser) => {
  describe('the window form', () => {
    test('opens, shakes hands, reports events and the result, and cleans up', async () => {
      const popup = await browser.connect();
      expect(popup.url()).toMatch(new RegExp(`^${browser.sites.api}/link#token=kp_lt_x&state=[\\w-]{43}$`));
      expect(await popup.evaluate(() => link.hello)).toEqual({
        origin: browser.sites.app,
        nonce: expect.stringMatching(/^[\w-]{43}$/),
      });
      expect(await browser.overlays()).toBe(1);
      await popup.evaluate(() => send('event', { name: 'unlocked' }));
      await popup.evaluate((data) => send('success', data), result);
      expect(await browser.calls(2)).toEqual([
        ['event', 'unlocked'],
        ['success', result],
      ]);
      await popup.waitForFunction(() => link.received === 1);
      expect(await browser.overlays()).toBe(0);
      expect(browser.sites.urls.join()).not.toContain('kp_lt_x');
      expect(await browser.page.evaluate(() => violations)).toEqual([]);
    });

    test('update mode has no public token', async () => {
      const popup = await browser.connect();
      await popup.evaluate(() => send('success', { publicToken: null, connectionId: 'con_1' }));
      expect(await browser.calls(1)).toEqual([['success', { publicToken: null, connectionId: 'con_1' }]]);
    });

    test('an exit tells why, or that the person left', async () => {
      const refused = { code: 'denied', message: 'no' };
      await (await browser.connect()).evaluate((error) => send('exit', { error }), refused);
      expect(await browser.calls(1)).toEqual([['exit', refused]]);
      await (await browser.connect()).evaluate(() => send('exit', { error: null }));
      expect((await browser.calls(2))[1]).toEqual(['exit', undefined]);
    });

    test('open twice keeps one window, create twice gives one handler', async () => {
      await browser.connect();
      await browser.page.evaluate(() => handler.open());
      expect(browser.context.pages()).toHaveLength(2);
      const same = await browser.page.evaluate(() => [
        KeyPass.create(options('kp_lt_x')) === handler,
        KeyPass.create(options('other')) === handler,
      ]);
      expect(same).toEqual([true, false]);
    });

    test('the newest callbacks are called', async () => {
      const popup = await browser.connect();
      await browser.page.evaluate(() => {
        KeyPass.create({ ...options('kp_lt_x'), onSuccess: () => globalThis.calls.push(['newer']) });
      });
      await popup.evaluate((data) => send('success', data), result);
      expect(await browser.calls(1)).toEqual([['newer']]);
    });

    test('exit closes the window and reports once; destroy reports nothing', async () => {
      for (const end of ['destroy', 'exit'] as const) {
        const popup = await browser.connect();
        await Promise.all([popup.waitForEvent('close'), browser.page.evaluate((name) => handler[name](), end)]);
        await browser.page.evaluate(() => handler.exit());
      }
      expect(await browser.calls(1)).toEqual([['exit', undefined]]);
      expect(await browser.overlays()).toBe(0);
    });

    test('Escape and Cancel end it, and the focus returns to the page', async () => {
      await browser.page.focus('button');
      const first = await browser.connect();
      expect(await browser.page.evaluate(() => document.activeElement?.tagName)).toBe('DIV');
      await Promise.all([first.waitForEvent('close'), browser.page.keyboard.press('Escape')]);
      expect(await browser.page.evaluate(() => document.activeElement?.textContent)).toBe('app');
      const second = await browser.connect();
      await browser.page.keyboard.press('Tab');
      await Promise.all([second.waitForEvent('close'), browser.page.keyboard.press('Enter')]);
      expect(await browser.calls(2)).toEqual([
        ['exit', undefined],
        ['exit', undefined],
      ]);
    });

    test('the overlay is a modal dialog with a name', async () => {
      await browser.connect();
      const session = await browser.context.newCDPSession(browser.page);
      const { nodes } = await session.send('Accessibility.getFullAXTree');
      const dialog = nodes.find(({ role }) => role?.value === 'dialog');
      expect(dialog?.name?.value).toBe('Continue in the KeyPass window');
      expect(dialog?.properties?.find(({ name }) => name === 'modal')?.value.value).toBe(true);
    });
  });

  describe('a token that has to be fetched', () => {
    test('the window opens in the click and goes on when the token is there', async () => {
      const [popup] = await Promise.all([
        browser.context.waitForEvent('page'),
        browser.page.evaluate(() => start(() => new Promise((resolve) => Object.assign(globalThis, { resolve })))),
      ]);
      expect(popup.url()).toBe('about:blank');
      await browser.page.evaluate(`resolve('kp_lt_late')`);
      await popup.waitForFunction(() => globalThis.link?.hello !== undefined);
      expect(await popup.evaluate(() => link.token)).toBe('kp_lt_late');
      await popup.evaluate((data) => send('success', data), result);
      expect(await browser.calls(1)).toEqual([['success', result]]);
    });

    test.each(['throws', 'rejects', 'gives nothing'])('a function that %s ends in token_unavailable', async (how) => {
      const [popup] = await Promise.all([
        browser.context.waitForEvent('page'),
        browser.page.evaluate((kind) => {
          start(() => {
            if (kind === 'throws') throw new Error('secret');
            return kind === 'rejects' ? Promise.reject(new Error('secret')) : '';
          });
        }, how),
      ]);
      expect(await browser.calls(1)).toEqual([
        ['exit', { code: 'token_unavailable', message: 'The app gave no link token' }],
      ]);
      if (!popup.isClosed()) await popup.waitForEvent('close');
    });
  });

  test('a blocked window is opened by the overlay’s button', async () => {
    await browser.page.goto(`${browser.sites.app}/autostart`);
    expect(await browser.calls(1)).toEqual([['event', 'blocked']]);
    expect(browser.context.pages()).toHaveLength(1);
    const [popup] = await Promise.all([browser.context.waitForEvent('page'), browser.page.keyboard.press('Enter')]);
    await popup.waitForFunction(() => globalThis.link?.hello !== undefined);
    await popup.evaluate((data) => send('success', data), result);
    expect((await browser.calls(2))[1]).toEqual(['success', result]);
  });

  test('without windows at all the button goes by redirect', async () => {
    await browser.page.evaluate(() => {
      window.open = () => null;
      start('kp_lt_x');
    });
    await Promise.all([browser.page.waitForURL(`${browser.sites.api}/link**`), browser.page.keyboard.press('Enter')]);
  });
});
