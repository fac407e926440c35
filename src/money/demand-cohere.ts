import type { BoundableCall } from './bounds.ts';
import { refuseOtherParts } from './demand-compatible.ts';
import { chatShapeDemand } from './demand-openai-chat.ts';
import { type Demand, isEmpty, objectsIn, plainDemand, refuseUnknownMembers, unboundedCost } from './demand.ts';
import { type JsonObject, textAt } from './json.ts';
import { mayThinkBesideLimit } from './reasoning.ts';

/** https://docs.cohere.com/reference/chat; the types are the client's (`cohere-ai` 8.1). */
const chatMembers = new Set(
  `model messages stream tools strict_tools tool_choice documents citation_options response_format safety_mode max_tokens
  stop_sequences temperature seed frequency_penalty presence_penalty k p logprobs thinking priority`.split(/\s+/),
);

const embedMembers = new Set(
  'model texts inputs input_type max_tokens output_dimension embedding_types truncate priority'.split(' '),
);

const partTypes = new Set(['text', 'thinking', 'document', 'image_url']);

/** What a request to Cohere's own chat asks for. */
export function cohereChatDemand({ provider, model, body }: BoundableCall): Demand {
  refuseUnknownMembers(body, chatMembers);
  refuseOtherParts(body, partTypes);
  const demand = chatShapeDemand(body, undefined);
  if (textAt(body['thinking'], 'type') === 'disabled') demand.reasoning = 'off';
  demand.outputFixed ||= mayThinkBesideLimit(provider, model, demand.reasoning);
  return demand;
}

/** What embedding texts asks for. Pictures have a price by the piece or by their tokens, which can't be told before. */
export function cohereEmbedDemand(body: JsonObject): Demand {
  if (!isEmpty(body['images'])) throw unboundedCost('images', 'Only texts can be bounded.');
  refuseUnknownMembers(body, embedMembers);
  const parts = objectsIn(body['inputs']).flatMap((input) => objectsIn(input['content']));
  if (parts.some((part) => textAt(part, 'type') !== 'text'))
    throw unboundedCost('inputs', 'Only texts can be bounded.');
  return { ...plainDemand(), noOutput: true };
}
