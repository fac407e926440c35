import type { Draft } from '../connections/allowance.tsx';
import { texts } from '../ui/texts.ts';
import type { Key, Policy, PolicyScope, Provider } from '../vault.ts';
import type { Asked } from './flow.ts';

/** What every screen after the sign-in gets. */
export interface ScreenProps {
  asked: Asked;
  draft: Draft;
  keys: readonly Key[];
  providers: readonly Provider[];
  /** The kinds of calls that the connection to be changed has; none of a new one. */
  had: readonly PolicyScope[];
  period: Policy['period'];
  /** RFC 3339; null until it is revoked. */
  expiresAt: string | null;
  onNext: () => void;
  onBack: () => void;
  onDeny: () => void;
}

export const periodWord = (period: Policy['period']): string =>
  period === 'month' ? texts.connections.budget : texts.connections.budgetTotal;
