/** By `name=value`, the value as JSON. */
const defaults = new Set([
  'n=1',
  'logprobs=false',
  'top_logprobs=0',
  'logit_bias={}',
  'metadata={}',
  'store=false',
  'user=""',
  'safety_identifier=""',
  'frequency_penalty=0',
  'presence_penalty=0',
  'parallel_tool_calls=true',
  'response_format={"type":"text"}',
  'service_tier="auto"',
  'service_tier="default"',
  'modalities=["text"]',
  'verbosity="medium"',
  'tools=[]',
  'functions=[]',
]);

/** Whether a parameter asks for nothing but the default, so that leaving it out loses nothing. */
export function saysNothing(name: string, value: unknown): boolean {
  return defaults.has(`${name}=${JSON.stringify(value)}`);
}
