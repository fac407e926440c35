import type { JsonObject } from '../../money/json.ts';
import type { ClaudeTraits } from './anthropic-models.ts';
import { stated, type Chat } from './chat.ts';
import { unsupported } from './refusal.ts';
import type { Tool } from './tools.ts';

/** `tools` and `tool_choice`. Throws `unsupported_parameter`. https://platform.claude.com/docs/en/api/messages/create */
export function toolsFor(chat: Chat, traits: ClaudeTraits): { tools?: JsonObject[]; tool_choice?: JsonObject } {
  if (chat.tools.length === 0) return {};
  const choice = choiceFor(chat, traits);
  return {
    tools: chat.tools.map((tool) => definition(tool, traits)),
    ...(choice === undefined ? {} : { tool_choice: choice }),
  };
}

function definition(tool: Tool, { schemas }: ClaudeTraits): JsonObject {
  if (tool.strict && !schemas) {
    throw unsupported(`${tool.place}.function.strict`, 'This model keeps to no schema. Leave it out.');
  }
  return stated({
    name: tool.name,
    description: tool.description,
    // A function without parameters is an object without members; Anthropic requires the type.
    input_schema: { type: 'object', ...(tool.parameters ?? { properties: {} }) },
    strict: tool.strict ? true : undefined,
    cache_control: tool.cache,
  });
}

function choiceFor({ toolChoice, parallelToolCalls }: Chat, { forcedTools }: ClaudeTraits): JsonObject | undefined {
  if (toolChoice?.mode === 'none') return { type: 'none' };
  const single = parallelToolCalls === false ? { disable_parallel_tool_use: true } : {};
  if (toolChoice === undefined) return parallelToolCalls === false ? { type: 'auto', ...single } : undefined;
  const { mode, only } = toolChoice;
  if (mode === 'required' && !forcedTools) {
    throw unsupported('tool_choice', 'No tool can be demanded of this model. Send auto or none.');
  }
  if (only === undefined) return { type: mode === 'required' ? 'any' : 'auto', ...single };
  const [name, ...others] = only;
  if (mode === 'auto' || name === undefined || others.length > 0) {
    throw unsupported('tool_choice.allowed_tools', 'Anthropic takes one tool or all. Send only those in `tools`.');
  }
  return { type: 'tool', name, ...single };
}
