import { expect, test } from 'bun:test';
import { granteeOf } from '../../test/harness/proxy.ts';
import { refusal } from '../../test/harness/refusal.ts';
import { policyScopes } from '../crypto/policy.ts';
import type { JsonObject } from '../money/json.ts';
import { customProviders } from '../providers/index.ts';
import { withoutState } from './rules.ts';

const settings = { ollama: { base_url: 'http://127.0.0.1:11434/v1', context: 4096 } };
const [ollama] = customProviders(settings, [], (place) => {
  throw new Error(place);
});
const rules = ollama?.endpoints.find(({ path }) => path.endsWith('/chat/completions'))?.body;

const grantee = granteeOf({ scopes: [...policyScopes] });

/** A message with this part, held against the rules of a chat, whatever was granted. */
function taken(part: JsonObject): JsonObject {
  if (rules === undefined) throw new Error('it has chat');
  return withoutState(rules, { model: 'm', messages: [{ role: 'user', content: [part] }] }, grantee);
}

test.each<[JsonObject, string]>([
  [{ type: 'image_url', image_url: { url: 'http://10.0.0.1/a.png' } }, 'image_url.url'],
  [{ type: 'image_url', image_url: ' http://10.0.0.1/a.png' }, 'image_url'],
  [{ type: 'video_url', video_url: { url: 'http://10.0.0.1/a.mp4' } }, 'video_url.url'],
  [{ type: 'image_url', image_url: { url: 'file:///etc/passwd' } }, 'image_url.url'],
  // vLLM goes by the member, whatever the type.
  [{ type: 'text', text: 'a', uuid: 'b', audio_url: 'http://10.0.0.1/a.mp3' }, 'audio_url'],
  [{ audio_url: { url: 'http://10.0.0.1/a.mp3' } }, 'audio_url.url'],
  [{ type: 'input_audio', input_audio: { data: ' HTTP://10.0.0.1/a.mp3', format: 'mp3' } }, 'input_audio.data'],
])('nothing is fetched for an app from within: %j', (part, place) => {
  expect(refusal(() => taken(part))).toEqual(['unsupported_parameter', `messages.*.content.*.${place}`]);
});

test.each([
  [{ type: 'text', text: 'see http://10.0.0.1/a.png' }],
  [{ type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } }],
  [{ type: 'input_audio', input_audio: { data: 'UklGRgAAAAA=', format: 'wav' } }],
])('what is sent along passes: %j', (part) => {
  expect(taken(part)).toEqual({});
});
