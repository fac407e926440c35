interface Event<T extends string, D> {
  /** The same in every delivery of one event: keep it, and do nothing the second time. */
  id: string;
  type: T;
  /** RFC 3339: when it happened, not when it was delivered. */
  createdAt: string;
  data: D;
}

/** Which connection, and whose: `clientUserIdHash` is base64url of SHA-256 of the `clientUserId` that you linked it for. */
interface OfConnection {
  connectionId: string;
  clientUserIdHash?: string;
}

/** What a connection may do; the same as `connection()` says, which has it as it is now. */
interface Terms {
  /** `models` null: every model of the provider. */
  providers: { id: string; models: string[] | null }[];
  scopes: string[];
  budgetCents: number;
  period: 'month' | 'total';
  /** RFC 3339; null: until it is revoked. */
  expiresAt: string | null;
}

/** A share of the budget, in percent, that is spent. */
interface Threshold {
  threshold: 50 | 80 | 100;
  /** USD, an exact decimal. */
  spent: string;
  budgetCents: number;
  /** RFC 3339; null for a budget that never starts anew. */
  resetsAt: string | null;
}

/** The provider refused the owner's key. */
interface Refusal {
  provider: string;
  /** The provider's: mostly 401 or 403. */
  status: number;
  /** Not taken at all (or out of credit), or not for what was asked. */
  verdict: 'rejected' | 'restricted';
}

/**
 * What KeyPass tells an app. A newer server may send a type that is not listed here: let a `switch` ignore what it does
 * not know.
 */
export type WebhookEvent =
  | Event<'connection.paused', OfConnection>
  | Event<'connection.resumed', OfConnection>
  | Event<'connection.updated', OfConnection & Terms>
  | Event<'connection.revoked', OfConnection & { by: 'owner' | 'app' | 'keypass' }>
  | Event<'budget.threshold', OfConnection & Threshold>
  | Event<'key.invalid', OfConnection & Refusal>
  | Event<'ping', Record<string, never>>;
