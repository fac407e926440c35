import { afterEach, expect, test } from 'bun:test';
import { post, startProxy, until } from '../../test/harness/proxy.ts';
import { startRecorder } from '../../test/harness/upstream.ts';

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()));
});

const fee = 50_000_000_000n;
const responses = { model: 'grok-4.7', input: 'Hi', max_output_tokens: 1 };

/** What is held and booked of a small call that xAI refuses. */
async function refused(path: string, body: object, answer: () => Response) {
  const upstream = startRecorder(answer);
  const keypass = startProxy({
    origin: upstream.origin,
    policy: { providers: [{ id: 'xai', keyId: '00000000-0000-4000-8000-000000000001', models: null }] },
  });
  running.push(upstream, keypass);
  await (await post(keypass, `/v1/proxy/passthrough/xai${path}`, body)).text();
  await until(() => keypass.ledger.settlements.length === 1);
  const [settled] = keypass.ledger.settlements;
  return { held: keypass.ledger.holds[0]?.amount, cost: settled?.cost, lines: settled?.lines.map(({ usd }) => usd) };
}

const violation = {
  code: 'forbidden',
  error: 'Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_BIO',
};
const noCredit = { code: 'forbidden', error: 'Your team has used all of its credits.' };

test.each([
  [400, violation],
  [403, violation],
  [422, { error: { message: violation.error } }],
])('a refusal for which xAI has a fee is booked at it, and held: %d %j', async (status, body) => {
  const seen = await refused('/v1/responses', responses, () => Response.json(body, { status }));
  expect(seen).toEqual({ held: fee, cost: fee, lines: ['0.05'] });
});

test('any other failure costs nothing', async () => {
  const seen = await refused('/v1/responses', responses, () => Response.json(noCredit, { status: 403 }));
  expect(seen).toEqual({ held: fee, cost: 0n, lines: [] });
  const { held, cost } = await refused(
    '/v1/chat/completions',
    { model: 'grok-4.7', messages: [{ role: 'user', content: 'Hi' }], max_tokens: 1 },
    () => Response.json(violation, { status: 403 }),
  );
  expect(cost).toBe(0n);
  expect(held).toBeLessThan(fee);
});
