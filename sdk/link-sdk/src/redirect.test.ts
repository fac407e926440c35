import { expect, test } from 'bun:test';
import { describeInChromium, type LinkBrowser } from '../test/browser.ts';

describeInChromium('the redirect form', (browser) => {
  test.each<[string, unknown[]]>([
    [
      'keypass_public_token=t&keypass_connection_id=c&keypass_state=STATE',
      ['success', { publicToken: 't', connectionId: 'c' }],
    ],
    ['keypass_connection_id=c&keypass_state=STATE', ['success', { publicToken: null, connectionId: 'c' }]],
    ['keypass_error=closed&keypass_state=STATE', ['exit']],
    ['keypass_error=denied&keypass_state=STATE', ['exit', { code: 'denied', message: 'The link ended: denied' }]],
    ['keypass_state=STATE', ['exit', { code: 'unexpected_answer', message: 'The link ended: no result' }]],
  ])('%s', async (fragment, call) => {
    expect(await roundTrip(browser, fragment)).toEqual([call]);
  });

  test('a forged state gives no token, and uses the true one up', async () => {
    const forged = 'keypass_public_token=evil&keypass_connection_id=c&keypass_state=forged';
    expect(await roundTrip(browser, forged)).toEqual([['exit', expect.objectContaining({ code: 'state_mismatch' })]]);
    expect(await browser.page.evaluate(() => sessionStorage.length)).toBe(0);
  });

  test('an ordinary fragment is left alone', async () => {
    await browser.page.goto(`${browser.sites.app}/#section`);
    expect(await browser.page.evaluate(() => KeyPass.resume(options('')))).toBe(false);
    expect(browser.page.url()).toBe(`${browser.sites.app}/#section`);
  });
});

/** Goes to KeyPass and back with this fragment; `STATE` stands for the state that was sent. */
async function roundTrip(browser: LinkBrowser, fragment: string): Promise<unknown[][]> {
  await Promise.all([
    browser.page.waitForURL(`${browser.sites.api}/link**`),
    browser.page.evaluate(() => KeyPass.create(options('kp_lt_x')).open({ redirect: true })),
  ]);
  const state = await browser.page.evaluate(() => link.state);
  await browser.page.goto(`${browser.sites.app}/return?kept=1#${fragment.replace('STATE', state)}`);
  expect(await browser.page.evaluate(() => KeyPass.resume(options('')))).toBe(true);
  expect(browser.page.url()).toBe(`${browser.sites.app}/return?kept=1`);
  expect(await browser.page.evaluate(() => KeyPass.resume(options('')))).toBe(false);
  return browser.page.evaluate(() => globalThis.calls);
}
