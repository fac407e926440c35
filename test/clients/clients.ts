import { aiClients } from './ai.ts';
import { anthropic } from './anthropic.ts';
import { google } from './google.ts';
import { groq } from './groq.ts';
import { openaiResponses } from './openai-responses.ts';
import { openai } from './openai.ts';
import type { Client } from './scenario.ts';
import { translatedAi } from './translated-ai.ts';
import { translated } from './translated.ts';

/** The tables of the matrix, each with its columns. */
export const tables: readonly { readonly title: string; readonly clients: readonly Client[] }[] = [
  { title: 'Clients of the providers', clients: [openai, openaiResponses, anthropic, google, groq] },
  { title: 'Vercel `ai`', clients: aiClients },
  { title: 'Models of other providers by their names', clients: [...translated, ...translatedAi] },
];
