import type { PolicyScope } from '../crypto/policy.ts';
import type { ModelLimits } from '../money/limits.ts';
import type { UsageFormat } from '../money/usage.ts';
import type { KeyStatuses } from './verdict.ts';

/** The shape in which an API tells of its failures. */
export type ErrorShape = 'openai' | 'anthropic' | 'google';

/** The header in which a provider takes its key; `authorization` as a bearer token. A key never goes into a URL. */
export type KeyHeader = 'authorization' | 'x-api-key' | 'x-goog-api-key';

/** What KeyPass knows of a provider: data alone, read by the proxy, the pages and the SDKs. */
export interface Provider {
  readonly id: string;
  readonly name: string;
  /** Scheme, host and port, nothing after: the provider's own full path follows. An operator may replace it. */
  readonly origin: string;
  /** Null: it takes no key, and is sent none. */
  readonly keyHeader: KeyHeader | null;
  readonly errorShape: ErrorShape;
  /** Headers that are sent unless the client sends its own. */
  readonly defaultHeaders: Readonly<Record<string, string>>;
  /** Headers of the client and of the answer that pass besides those that pass for all; of the answer, `*` ends a prefix. */
  readonly requestHeaders: readonly string[];
  readonly responseHeaders: readonly string[];
  /** Of these headers only the listed values pass, separated by commas; any other is refused. */
  readonly listedValues: Readonly<Record<string, readonly string[]>>;
  /** What the refusal of such a value says besides, by value: the provider's own words, at which its client does without. */
  readonly refusalDetails?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Headers that the owner may keep with a key, such as the project that pays. A client can't send them. */
  readonly ownerHeaders: readonly string[];
  /** Regular expressions of a whole key: hints for a paste, never a reason to refuse one. */
  readonly keyPatterns: readonly string[];
  /** Regular expressions of how an administrator's key begins: those are refused. */
  readonly adminKeyPatterns: readonly string[];
  /** The page where a person makes a key; null where there is none. */
  readonly keyPage: string | null;
  /** A cheap call that shows whether a key is alive. */
  readonly check: KeyCheck;
  /** What its documentation has a status mean for the key, where that is not the usual. */
  readonly keyStatuses?: KeyStatuses;
  /** The free call that lists the models a key may use, where there is one; `query` asks for as many as one page has. */
  readonly modelList?: { readonly path: string; readonly query?: string };
  /** How unified chat speaks to it. */
  readonly chat: OpenAiChat | { readonly shape: 'anthropic' | 'google' };
  /** How `/openai/v1/embeddings` does; absent where it has none. */
  readonly embeddings?: OpenAiEmbeddings | { readonly shape: 'google' };
  /** Everything that may be called. What is not listed reaches no provider. */
  readonly endpoints: readonly Endpoint[];
  /** Only of a server that the operator has defined. */
  readonly custom?: CustomFacts;
}

/** What an operator says of a server of their own, where KeyPass knows nothing by itself. */
export interface CustomFacts {
  /** No model of it costs anything, unless the price file says otherwise. */
  readonly isFree: boolean;
  /** Of every model that is not named. */
  readonly limits: ModelLimits;
  readonly models: ReadonlyMap<string, ModelLimits>;
}

/** Where an API speaks OpenAI's own chat, and how it differs. */
export interface OpenAiChat {
  readonly shape: 'openai';
  /** A row of the table. */
  readonly path: string;
  /** Its answers are OpenAI's and pass byte for byte; those of others are put into its shape. */
  readonly isExact?: true;
  /** Its names for OpenAI's parameters, where they are others. */
  readonly names?: Readonly<Record<string, string>>;
  /** The role of developer messages, where it does not know that one. */
  readonly developer?: 'system';
  /** The member in which it takes the reasoning of an earlier answer back; absent where it takes none. */
  readonly reasoning?: 'reasoning' | 'reasoning_content' | 'reasoning_details' | 'content';
  /** OpenAI's parameters that it documents as not supported or not heeded: refused by name. */
  readonly lacks?: readonly string[];
}

/** Where an API speaks OpenAI's own embeddings, and how it differs. */
export interface OpenAiEmbeddings {
  readonly shape: 'openai';
  /** A row of the table. */
  readonly path: string;
  /** Its requests and answers are OpenAI's and pass as they are. Others are asked for plain numbers. */
  readonly isExact?: true;
  /** Its names for OpenAI's parameters, where they are others. */
  readonly names?: Readonly<Record<string, string>>;
}

/**
 * The call that a key is checked with; a body is sent as JSON. Apps may make it only if the table lists it too.
 * `fromBrowser`: pages of any origin may make it (CORS), with these headers besides.
 */
export type KeyCheck =
  | {
      readonly method: 'GET';
      readonly path: string;
      readonly origin?: string;
      readonly fromBrowser?: Readonly<Record<string, string>>;
    }
  | { readonly method: 'POST'; readonly path: string; readonly body: Readonly<Record<string, unknown>> };

export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** The provider's own path; `{model}` stands for one name of a model, any other name in braces for one id. */
  readonly path: string;
  /** What the owner must have allowed, or null for what any connection may read. */
  readonly scope: PolicyScope | null;
  readonly metering: 'free' | 'unmetered' | Metering;
  /**
   * Query members that pass, each with the regular expression of its whole value; one whose name ends in `[]` may come
   * more than once.
   */
  readonly query?: Readonly<Record<string, string>>;
  /** Absent for an endpoint without a body, or with one that is passed on unread. */
  readonly body?: BodyRules;
  /** The body is passed on as it comes. Only where nothing in it can cost, or name what the policy is about. */
  readonly upload?: UploadRules;
  /** It runs models that the request does not name, so that it needs a connection that may use all of them. */
  readonly hidesModels?: true;
}

export interface UploadRules {
  /** `form`: multipart/form-data; `bytes`: whatever the client says that it is. */
  readonly type: 'form' | 'bytes';
  /** Of the body as a whole: what the provider takes. */
  readonly maxBytes: number;
  /** The client's headers that steer an upload, each with the regular expression of its whole value. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The header of the answer that names where the upload goes on: the same endpoint, with a query of its own. */
  readonly continuesAt?: string;
}

/** How the usage of a call is read. */
export interface Metering {
  readonly format: UsageFormat;
  /** Whether the answer streams: as the body's `stream` says, as the path says, or never. */
  readonly streams: 'body' | 'always' | 'never';
  /** The stream tells its usage only if `stream_options.include_usage` asks for it. */
  readonly includeUsage?: true;
}

/**
 * What a body is held against. What may cost without a bound is refused by the bound itself (src/money), member by
 * member; here stands what an owner allows or does not. Places are written as members joined by dots, in camelCase where
 * the provider takes snake_case as well; `*` stands for every item of a list, or for the value itself where it is none.
 */
export interface BodyRules {
  /**
   * Where models hide. All of them must name the one model of the call, which is what is allowed and priced. Empty for a
   * call that runs none.
   */
  readonly models: readonly string[];
  /** What lives on at the provider, where every app of one account could reach it: needs the scope `stateful`. */
  readonly stateful: readonly BodyRule[];
  /** What nobody may send, whatever was granted: refused by name. */
  readonly refused?: readonly RefusedRule[];
  /** Sent for members that are absent when the scope `stateful` was not granted. */
  readonly withoutState?: Readonly<Record<string, boolean>>;
  /** The body is a form (multipart/form-data) with these fields, which are the members of the places above. */
  readonly form?: FormRules;
}

/** What a field of a form holds. A whole number and a truth value are written as JSON writes them. */
export type FieldKind = 'text' | 'integer' | 'boolean' | 'file';

export interface FormRules {
  /** Every field that passes; one whose name ends in `[]` may come more than once. */
  readonly fields: Readonly<Record<string, FieldKind>>;
  /** Of the form as a whole: what the provider takes of files, and as much as a megabyte around them. */
  readonly maxBytes: number;
}

/** A rule, and what its refusal says. */
export interface RefusedRule extends BodyRule {
  readonly why: string;
}

/** Applies where a value (not null) stands at a place and fits every condition given. */
export interface BodyRule {
  readonly at: string;
  /** The value is one of these. */
  readonly is?: readonly string[];
  /** The value is anything but this one: what a lenient provider makes of `1` or `"true"` is not known. */
  readonly isNot?: boolean;
  /** The value is text that fits this regular expression. */
  readonly matches?: string;
  /** The object that holds the value has no such member. */
  readonly lacks?: string;
}
