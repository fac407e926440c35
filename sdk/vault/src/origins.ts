/**
 * Where each provider's calls go, as known when this client was built (each provider's API reference). The origin is
 * sealed into every key, so a server can't be pointed elsewhere without its owner being asked.
 */
export const origins: Readonly<Record<string, string>> = {
  openai: 'https://api.openai.com',
  anthropic: 'https://api.anthropic.com',
  google: 'https://generativelanguage.googleapis.com',
  groq: 'https://api.groq.com',
  mistral: 'https://api.mistral.ai',
  openrouter: 'https://openrouter.ai',
  xai: 'https://api.x.ai',
  deepseek: 'https://api.deepseek.com',
  together: 'https://api.together.xyz',
  fireworks: 'https://api.fireworks.ai',
  cohere: 'https://api.cohere.com',
  perplexity: 'https://api.perplexity.ai',
  cerebras: 'https://api.cerebras.ai',
  huggingface: 'https://router.huggingface.co',
};
