import type { PolicyScope } from '../crypto/policy.ts';
import type { UsageFormat } from '../money/usage.ts';

/** The shape in which an API tells of its failures. */
export type ErrorShape = 'openai' | 'anthropic' | 'google';

/** The header in which a provider takes its key; `authorization` as a bearer token. A key never goes into a URL. */
export type KeyHeader = 'authorization' | 'x-api-key' | 'x-goog-api-key';

/** What KeyPass knows of a provider: data alone, read by the proxy, the pages and the SDKs. */
export interface Provider {
  readonly id: string;
  readonly name: string;
  /** Scheme and host, nothing after: the provider's own full path follows. An operator may replace it. */
  readonly origin: string;
  readonly keyHeader: KeyHeader;
  readonly errorShape: ErrorShape;
  /** Headers that are sent unless the client sends its own. */
  readonly defaultHeaders: Readonly<Record<string, string>>;
  /** Headers of the client and of the answer that pass besides those that pass for all; `*` ends a prefix. */
  readonly requestHeaders: readonly string[];
  readonly responseHeaders: readonly string[];
  /** Of these headers only the listed values pass, separated by commas; any other is refused. */
  readonly listedValues: Readonly<Record<string, readonly string[]>>;
  /** Headers that the owner may keep with a key, such as the project that pays. A client can't send them. */
  readonly ownerHeaders: readonly string[];
  /** Regular expressions of a whole key: hints for a paste, never a reason to refuse one. */
  readonly keyPatterns: readonly string[];
  /** Regular expressions of how an administrator's key begins: those are refused. */
  readonly adminKeyPatterns: readonly string[];
  /** The page where a person makes a key. */
  readonly keyPage: string;
  /** A cheap call that shows whether a key is alive. */
  readonly check: { readonly method: 'GET'; readonly path: string };
  /** Everything that may be called. What is not listed reaches no provider. */
  readonly endpoints: readonly Endpoint[];
}

export interface Endpoint {
  readonly method: 'GET' | 'POST';
  /** The provider's own path; `{model}` stands for one name of a model. */
  readonly path: string;
  /** What the owner must have allowed, or null for what any connection may read. */
  readonly scope: PolicyScope | null;
  readonly metering: 'free' | 'unmetered' | Metering;
  /** Query members that pass, each with the regular expression of its whole value. */
  readonly query?: Readonly<Record<string, string>>;
  /** Absent for an endpoint without a body. */
  readonly body?: BodyRules;
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
  /** Where models hide. All of them must name the one model of the call, which is what is allowed and priced. */
  readonly models: readonly string[];
  /** What lives on at the provider, where every app of one account could reach it: needs the scope `stateful`. */
  readonly stateful: readonly BodyRule[];
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
