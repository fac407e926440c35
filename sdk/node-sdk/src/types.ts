/** What the owner approved; fixed bytes that are sealed into every grant. */
export interface Policy {
  v: number;
  /** Counts up with every edit. */
  revision: number;
  kind: 'app' | 'personal' | 'site';
  app: string | null;
  /** The origin that the Link window proved; null if it was approved without a window. */
  origin: string | null;
  clientUserIdHash: string | null;
  /** `models` null: every model of the provider. */
  providers: { id: string; keyId: string; models: string[] | null }[];
  scopes: string[];
  /** For each period. */
  budgetCents: number;
  period: 'month' | 'total';
  perModelCents: Record<string, number> | null;
  /** Requests and tokens per minute, calls at one time; null: no limit. */
  limits: { rpm: number | null; tpm: number | null; parallel: number | null };
  /** RFC 3339 */
  expiresAt: string | null;
  sandbox: boolean;
}

/** A kind of call that an app may ask for. `stateful`: what the provider would keep for later. */
export type RequestedScope = 'chat' | 'embeddings' | 'images' | 'audio' | 'stateful';

export interface LinkSessionRequest {
  /** Provider ids like `openai`, `anthropic`, `google`, `groq`. */
  requestedProviders: string[];
  /** Preselected in the window; the owner decides. Absent: chat and embeddings, in update mode none beyond those it has. */
  requestedScopes?: RequestedScope[] | undefined;
  /** A suggestion; the owner decides. */
  budgetSuggestionCents?: number | undefined;
  models?: string[] | undefined;
  /** Your own id of the person: the exchange must then repeat it. */
  clientUserId?: string | undefined;
  /** The one origin of the app's `allowedOrigins` that will open the window. */
  origin?: string | undefined;
  /** One of the app's `redirectUris`, for phones and webviews. */
  redirectUri?: string | undefined;
  /** Update mode: change this connection's policy; the token stays. */
  accessToken?: string | undefined;
}

export interface LinkSession {
  /** For `KeyPass.create({ token })` in the browser. */
  linkToken: string;
  linkUrl: string;
  /** RFC 3339 */
  expiresAt: string;
}

export interface Exchange {
  /** Keep it on your server, per user. */
  accessToken: string;
  connectionId: string;
  policy: Policy;
}

/** A connection as its app sees it. Amounts are decimal strings in USD. */
export interface Connection {
  id: string;
  /** `active`, `paused`, `expired` and others. */
  status: string;
  /** `models` null: every model of the provider. */
  providers: { id: string; models: string[] | null }[];
  scopes: string[];
  budgetCents: number;
  period: string;
  spent: string;
  /** Reserved by calls that are running. */
  held: string;
  /** RFC 3339; null for a budget that never starts anew. */
  resetsAt: string | null;
  /** Requests and tokens a minute, and calls at one time; null for no limit. */
  limits: { rpm: number | null; tpm: number | null; parallel: number | null };
  /** RFC 3339 */
  expiresAt: string | null;
}

export interface ChatMessage {
  role: 'system' | 'developer' | 'user' | 'assistant' | 'tool';
  content?: string | ChatContentPart[] | null;
  name?: string;
  tool_calls?: ChatToolCall[];
  tool_call_id?: string;
  [member: string]: unknown;
}

export interface ChatContentPart {
  type: string;
  text?: string;
  image_url?: { url: string; detail?: 'auto' | 'low' | 'high' };
  [member: string]: unknown;
}

export interface ChatToolCall {
  id: string;
  type: 'function';
  function: { name: string; /** JSON */ arguments: string };
}

/** OpenAI's chat parameters, for every provider; what a provider can't express is refused by name. */
export interface ChatParameters {
  provider: string;
  model: string;
  messages: ChatMessage[];
  temperature?: number;
  top_p?: number;
  max_tokens?: number;
  max_completion_tokens?: number;
  n?: number;
  stop?: string | string[] | null;
  seed?: number;
  reasoning_effort?: string;
  response_format?: { type: string; [member: string]: unknown };
  tools?: {
    type: 'function';
    function: { name: string; description?: string; parameters?: unknown; strict?: boolean };
  }[];
  tool_choice?: 'none' | 'auto' | 'required' | { type: 'function'; function: { name: string } };
  parallel_tool_calls?: boolean;
  stream_options?: { include_usage?: boolean };
  [parameter: string]: unknown;
}

export interface ChatRequest extends ChatParameters {
  accessToken: string;
  stream?: false | undefined;
}

export interface StreamingChatRequest extends ChatParameters {
  accessToken: string;
  stream: true;
}

export interface ChatUsage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  [member: string]: unknown;
}

export interface ChatCompletion {
  id: string;
  object: 'chat.completion';
  /** Seconds since 1970 */
  created: number;
  model: string;
  choices: {
    index: number;
    message: { role: 'assistant'; content: string | null; tool_calls?: ChatToolCall[]; [member: string]: unknown };
    finish_reason: string | null;
    [member: string]: unknown;
  }[];
  usage?: ChatUsage;
  [member: string]: unknown;
}

export interface ChatCompletionChunk {
  id: string;
  object: 'chat.completion.chunk';
  /** Seconds since 1970 */
  created: number;
  model: string;
  choices: {
    index: number;
    delta: {
      role?: 'assistant';
      content?: string | null;
      tool_calls?: {
        index: number;
        id?: string;
        type?: 'function';
        function?: { name?: string; arguments?: string };
      }[];
      [member: string]: unknown;
    };
    finish_reason: string | null;
    [member: string]: unknown;
  }[];
  usage?: ChatUsage | null;
  [member: string]: unknown;
}
