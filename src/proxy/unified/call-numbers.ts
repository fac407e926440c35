import { type JsonObject, memberAt, textAt } from '../../money/json.ts';

interface BegunCall {
  readonly id: string | undefined;
  /** What its provider calls it. */
  readonly index: unknown;
}

/**
 * The numbers of one choice's calls in a stream, by which its pieces are put together. Some servers give none, or the
 * same one to calls made at once: a new call is known by its id, or by its name where it has neither.
 */
export class CallNumbers {
  readonly #begun: BegunCall[] = [];

  /** The number of the call that this piece of a delta belongs to. */
  numberOf(piece: JsonObject): number {
    const call = { id: textAt(piece, 'id') || undefined, index: piece['index'] ?? undefined };
    const known = this.#known(call, Boolean(textAt(memberAt(piece, 'function'), 'name')));
    return known === -1 ? this.#begun.push(call) - 1 : known;
  }

  /** Minus one for a call that begins with this piece. */
  #known({ id, index }: BegunCall, isNamed: boolean): number {
    const sameId = id === undefined ? -1 : this.#begun.findLastIndex((call) => call.id === id);
    const sameIndex = this.#begun.findLastIndex((call) => call.index === index);
    if (isNamed && id === undefined && index === undefined) return -1;
    if (isNamed) return id === undefined ? sameIndex : sameId;
    // Without a name it goes on with a call, even under an id of its own: some servers make one for each piece.
    const same = sameId === -1 ? sameIndex : sameId;
    return same === -1 && id === undefined ? this.#begun.length - 1 : same;
  }
}
