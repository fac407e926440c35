import {
  addImage,
  addReference,
  type Demand,
  isEmpty,
  limitMember,
  objectsIn,
  plainDemand,
  refuseUnknownMembers,
  toolOverhead,
  unboundedCost,
} from './demand.ts';
import { isAbsent, type JsonObject, memberAt, objectAt, textAt } from './json.ts';
import type { Reasoning } from './reasoning.ts';

/** Members whose cost is known; `mcp_servers`, `container`, `fallbacks`, `context_management` and others are not. */
const known = new Set(
  `model max_tokens messages cache_control diagnostics inference_geo mcp_servers metadata output_config output_format
  service_tier speed stop_sequences stream system temperature thinking tool_choice tools top_k top_p`.split(/\s+/),
);

/**
 * The most tokens of one image: 4,784 at the high resolution of newer models.
 * https://platform.claude.com/docs/en/build-with-claude/vision
 */
const mostImageTokens = 5_000;

/** Tools that Anthropic defines and the app runs add a definition of their own, at most about 800 tokens. */
const appRunTool = /^(?:bash|text_editor|memory|computer)_20\d{6}$/;
const appRunToolTokens = 1024;
const searchTool = /^web_search_20\d{6}$/;
const fetchTool = /^web_fetch_20\d{6}$/;

/** Anthropic pauses a turn after ten rounds of its own tools. */
const mostPasses = 10;

/** Beyond this no hold would fit any budget. */
const mostUses = 1_000;

const textBlocks = new Set(['text', 'thinking', 'redacted_thinking', 'tool_use', 'server_tool_use', 'search_result']);

/** What a request to Anthropic's Messages API asks for. */
export function messagesDemand(body: JsonObject): Demand {
  refuseUnknownMembers(body, known);
  if (!isEmpty(body['mcp_servers'])) throw unboundedCost('mcp_servers');
  const demand = plainDemand();
  // Zero fills the cache and generates nothing.
  demand.requestedOutput = limitMember(body, 'max_tokens', { least: 0, nullIsAbsent: false });
  demand.thinkingBudget = limitMember(body['thinking'], 'budget_tokens', { least: 1, nullIsAbsent: true }) ?? 0;
  demand.reasoning = reasoning(body['thinking']);
  demand.cacheWrites = cacheWrites(body);
  addBlocks(demand, body['system']);
  for (const message of objectsIn(body['messages'])) addBlocks(demand, message['content']);
  const schema = memberAt(objectAt(body, 'output_config'), 'format') ?? body['output_format'];
  if (!isEmpty(schema)) demand.toolTokens += toolOverhead(schema);
  addTools(demand, body);
  return demand;
}

function reasoning(thinking: unknown): Reasoning {
  if (isAbsent(thinking)) return 'unsaid';
  return textAt(thinking, 'type') === 'disabled' ? 'off' : 'asked';
}

function addBlocks(demand: Demand, content: unknown): void {
  for (const block of objectsIn(content)) {
    const type = textAt(block, 'type') ?? '';
    const source = objectAt(block, 'source');
    const kind = textAt(source, 'type');
    if (textBlocks.has(type)) continue;
    if (type === 'tool_result') addBlocks(demand, block['content']);
    else if (type === 'image' && kind === 'base64') addImage(demand, textAt(source, 'data') ?? '', mostImageTokens);
    else if (type === 'document' && kind === 'content') addBlocks(demand, source?.['content']);
    else if (type !== 'document' || kind !== 'text') addReference(demand);
  }
}

function addTools(demand: Demand, body: JsonObject): void {
  const tools = objectsIn(body['tools']);
  if (tools.length === 0) return;
  demand.toolTokens += toolOverhead(tools);
  let uses = 0;
  let searches = 0;
  for (const tool of tools) {
    const type = textAt(tool, 'type') ?? 'custom';
    if (type === 'custom') continue;
    if (appRunTool.test(type)) {
      demand.toolTokens += appRunToolTokens;
      continue;
    }
    const declared = declaredUses(tool, type);
    uses += declared;
    if (searchTool.test(type)) searches += declared;
  }
  if (uses === 0) return;
  // A further pass reads each result, one more may be told that the uses are spent.
  demand.passes = Math.min(uses + 2, mostPasses);
  if (searches > 0) demand.fees = { webSearch: searches };
  if (demand.cacheWrites === 'none') demand.cacheWrites = '5m';
  addReference(demand);
}

function declaredUses(tool: JsonObject, type: string): number {
  if (!searchTool.test(type) && !fetchTool.test(type)) {
    throw unboundedCost('tools', 'A tool of the provider has no price that is known.');
  }
  const uses = limitMember(tool, 'max_uses', { least: 1, most: mostUses, nullIsAbsent: true });
  if (uses === undefined) throw unboundedCost('tools', 'Send max_uses to limit the tool.');
  return uses;
}

/** Anthropic writes to the cache where the request marks it, anywhere in it. Walked without recursion: depth is free. */
function cacheWrites(body: JsonObject): Demand['cacheWrites'] {
  const pending: unknown[] = [body];
  let writes: Demand['cacheWrites'] = 'none';
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (typeof value !== 'object' || value === null) continue;
    const mark = objectAt(value, 'cache_control');
    if (mark !== undefined) {
      const life = memberAt(mark, 'ttl') ?? '5m';
      if (life !== '5m') return '1h';
      writes = '5m';
    }
    for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) pending.push(inner);
  }
  return writes;
}
