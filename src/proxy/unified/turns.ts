import type { Part } from './message.ts';
import { malformed } from './refusal.ts';

/** What one side says in a provider's own blocks. A tool's results are the user's. */
export interface Turn<Block, Role extends string = 'user' | 'assistant'> {
  readonly role: Role;
  readonly blocks: readonly Block[];
}

/**
 * Turns that alternate, as Anthropic and Google want them: consecutive ones of one side are joined, and those without
 * a block are left out. Throws `invalid_request` where nobody says anything.
 */
export function alternating<Block, Role extends string>(said: readonly Turn<Block, Role>[]): Turn<Block, Role>[] {
  const turns: { role: Role; blocks: Block[] }[] = [];
  for (const { role, blocks } of said) {
    const last = turns.at(-1);
    if (last?.role === role) last.blocks.push(...blocks);
    else if (blocks.length > 0) turns.push({ role, blocks: [...blocks] });
  }
  if (turns.length === 0) throw malformed('messages', 'a conversation in which somebody but the system says something');
  return turns;
}

/** The parts that say something: a text without a character is refused by Google. */
export function spoken<T extends Part>(parts: readonly T[]): T[] {
  return parts.filter((part) => part.type !== 'text' || part.text !== '');
}
