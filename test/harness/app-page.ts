import type { BrowserContext, Page } from 'playwright-core';

export interface AppPage {
  readonly origin: string;
  /** Opens the consent window from a tab of this app and speaks sdk/link-sdk/PROTOCOL.md to it. */
  open(context: BrowserContext, linkUrl: string): Promise<Page>;
  /** Every message that the window sent to this page. */
  heard(): Promise<Record<string, unknown>[]>;
  /** The last message of a type; waits for it. */
  message(type: string): Promise<Record<string, unknown>>;
  stop(): Promise<void>;
}

// The page of an app, without the SDK: what it hears is kept as it came.
const html = `<!doctype html><meta charset="utf-8"><title>App</title><script>
const heard = [];
const nonce = 'n'.repeat(43);
function openLink(url) {
  const link = open(url, 'keypass', 'popup,width=440,height=720');
  const target = new URL(url).origin;
  const hello = () => link.postMessage({ type: 'keypass:hello', v: 1, nonce }, target);
  const timer = setInterval(hello, 100);
  addEventListener('message', ({ data, source, origin }) => {
    heard.push({ ...data, origin });
    if (source !== link || origin !== target || data.nonce !== nonce) return;
    if (data.type === 'keypass:hello-ack') clearInterval(timer);
    if (data.type === 'keypass:success') link.postMessage({ type: 'keypass:received', v: 1, nonce }, target);
  });
}
</script>`;

/** An app on another loopback origin than KeyPass's. */
export function startAppPage(): AppPage {
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: () => new Response(html, { headers: { 'content-type': 'text/html' } }),
  });
  const origin = `http://127.0.0.1:${server.port}`;
  let tab: Page | undefined;
  const current = (): Page => {
    if (tab === undefined) throw new Error('the app has no tab yet');
    return tab;
  };
  const heard = (): Promise<Record<string, unknown>[]> => current().evaluate('heard');
  return {
    origin,
    heard,
    async open(context, linkUrl) {
      await tab?.close();
      tab = await context.newPage();
      await tab.goto(origin);
      const popup = tab.waitForEvent('popup');
      await tab.evaluate(`openLink(${JSON.stringify(linkUrl)})`);
      return popup;
    },
    async message(type) {
      await current().waitForFunction(`heard.some((message) => message.type === ${JSON.stringify(type)})`);
      const found = (await heard()).findLast((message) => message['type'] === type);
      if (found === undefined) throw new Error(`no ${type} was heard`);
      return found;
    },
    stop: () => server.stop(true),
  };
}
