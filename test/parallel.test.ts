import { expect, test } from 'bun:test';
import { askRaw } from './harness/raw-answer.ts';
import { until } from './harness/proxy.ts';
import { delta, done, stop, usageEvent } from './harness/streams.ts';
import { chunk, eventStreamHead, startRawUpstream } from './harness/upstream.ts';
import { approve, deploy } from './trials/deployment.ts';
import { withCleanup } from './trials/faults.ts';

/** More than twice what Bun's `fetch` allows at a time unless it is told to allow more. */
const calls = 600;

test('600 streams run beside each other', async () => {
  await withCleanup(async (onEnd) => {
    const upstream = await startRawUpstream((exchange) => exchange.write(eventStreamHead));
    onEnd(() => upstream.stop());
    const [instance] = await deploy({ count: 1, onEnd, provider: upstream.origin });
    if (instance === undefined) throw new Error('no instance');
    const [subject] = await approve(instance, [100_000]);
    const { host } = new URL(instance.url);
    const body = JSON.stringify({
      model: 'gpt-4o-mini',
      stream: true,
      max_tokens: 9,
      messages: [{ role: 'user', content: 'Hi' }],
    });
    const head = [
      'POST /openai/v1/chat/completions HTTP/1.1',
      `host: ${host}`,
      `authorization: Bearer ${subject?.token}`,
      'content-type: application/json',
      'connection: close',
    ];
    const answers = Array.from({ length: calls }, () => askRaw(instance.url, head, body));
    // None of them ends before all have reached the provider.
    await until(() => upstream.exchanges.length === calls);
    const rest = Buffer.concat([chunk(delta('x') + stop() + usageEvent + done), chunk('')]);
    for (const exchange of upstream.exchanges) void exchange.write(rest);
    const ends = (await Promise.all(answers)).map(({ status, end }) => `${status} ${end}`);
    expect(ends).toEqual(Array.from({ length: calls }, () => '200 whole'));
  });
}, 60_000);
