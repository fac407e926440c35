/** What the page and its server say to each other. */

/** Of this visitor's connection: what the page shows. */
export interface ConnectionView {
  status: string;
  /** Models as the owner allowed them; null: all of the provider. */
  providers: { id: string; models: string[] | null }[];
  budgetCents: number;
  /** USD, decimal */
  spent: string;
  /** USD, decimal; reserved by answers that are still being written */
  held: string;
  /** RFC 3339, or null for a budget that never starts anew */
  resetsAt: string | null;
}

export interface Failure {
  /** KeyPass's own stable code, or one of this app. */
  code: string;
  message: string;
}

/** In the shape of OpenAI's chat messages, which KeyPass takes for every provider. */
export type Message = { role: 'user' | 'assistant'; content: string };

export interface ChatRequest {
  provider: string;
  model: string;
  messages: Message[];
}

/** One line of the answer to a chat. A stream without `done` or `error` at its end was cut. */
export type ChatEvent = { text: string } | { error: Failure } | { done: true };
