import type { JsonObject } from '../../money/json.ts';
import { assistantBlocks, isWorded, resultBlock, textBlock, userBlocks } from './anthropic-blocks.ts';
import type { ClaudeTraits } from './anthropic-models.ts';
import type { Message, SystemMessage } from './message.ts';
import { alternating, type Turn } from './turns.ts';

/** `system` and `messages` of Anthropic's Messages API. */
export interface Prompt {
  readonly system: readonly JsonObject[];
  readonly messages: readonly JsonObject[];
}

/**
 * The messages as turns that alternate. System messages are the system prompt, wherever they stand, as at Anthropic's
 * own OpenAI-shaped endpoint. Models that take later ones get them in their place, which is behind what the user says
 * there: a prompt that only grows keeps its cache, and the thoughts in it stay valid.
 * https://platform.claude.com/docs/en/cli-sdks-libraries/libraries/openai-sdk
 * · https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages
 */
export function promptOf(messages: readonly Message[], { laterSystem }: ClaudeTraits): Prompt {
  const system: JsonObject[] = [];
  const said: Turn<JsonObject, Message['role']>[] = [];
  let waiting: JsonObject[] = [];
  const place = () => {
    if (said.at(-1)?.role === 'user') said.push({ role: 'system', blocks: waiting });
    else system.push(...waiting);
    waiting = [];
  };
  for (const message of messages) {
    if (message.role === 'system') {
      (laterSystem && said.length > 0 ? waiting : system).push(...systemBlocks(message));
      continue;
    }
    const turn = turnOf(message);
    if (turn.blocks.length === 0) continue;
    if (turn.role === 'assistant') place();
    said.push(turn);
  }
  place();
  const turns = alternating(said);
  return { system, messages: turns.map(({ role, blocks }) => ({ role, content: blocks })) };
}

function systemBlocks({ parts }: SystemMessage): JsonObject[] {
  return parts.filter(isWorded).map(textBlock);
}

function turnOf(message: Exclude<Message, SystemMessage>): Turn<JsonObject> {
  switch (message.role) {
    case 'user':
      return { role: 'user', blocks: userBlocks(message.parts) };
    case 'tool':
      return { role: 'user', blocks: [resultBlock(message)] };
    default:
      return { role: 'assistant', blocks: assistantBlocks(message) };
  }
}
