import type { JsonObject } from '../../money/json.ts';
import { stated, type Chat } from './chat.ts';
import { unsupported } from './refusal.ts';

/**
 * `tools` and `toolConfig`. Schemas go as they are. Throws `unsupported_parameter`.
 * https://ai.google.dev/gemini-api/docs/function-calling
 */
export function toolsFor(chat: Chat): { tools?: JsonObject[]; toolConfig?: JsonObject } {
  const { tools, parallelToolCalls } = chat;
  if (tools.length === 0) return {};
  if (parallelToolCalls === false) {
    throw unsupported('parallel_tool_calls', 'Gemini calls several functions at once if it sees fit. Leave it out.');
  }
  const declarations = tools.map(({ name, description, parameters }) =>
    stated({ name, description, parametersJsonSchema: parameters }),
  );
  const functionCallingConfig = callingConfig(chat);
  return {
    tools: [{ functionDeclarations: declarations }],
    ...(functionCallingConfig === undefined ? {} : { toolConfig: { functionCallingConfig } }),
  };
}

/**
 * A call that is demanded keeps to its schema in any case (`ANY`); one that is not does in the mode `VALIDATED`, which
 * alone of the two takes a choice of names. https://ai.google.dev/api/caching#FunctionCallingConfig
 */
function callingConfig({ tools, toolChoice }: Chat): JsonObject | undefined {
  const { mode, only } = toolChoice ?? {};
  if (mode === 'none') return { mode: 'NONE' };
  const names = only === undefined ? {} : { allowedFunctionNames: only };
  if (mode === 'required') return { mode: 'ANY', ...names };
  if (only !== undefined || tools.some(({ strict }) => strict)) return { mode: 'VALIDATED', ...names };
  return mode === 'auto' ? { mode: 'AUTO' } : undefined;
}
