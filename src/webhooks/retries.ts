/** Attempts before an event is given up: over almost three days, since hooks break on Fridays. */
export const attemptsInARound = 15;

const firstMs = 10_000;
const longestMs = 10 * 3600 * 1000;

/**
 * Milliseconds until the next attempt after the `failed`-th of a round: 10 s, 30 s, 90 s … at most 10 h, each a fifth
 * more or less, so that what failed together does not come back together.
 * @param random from 0 to 1
 */
export function pauseAfter(failed: number, random: number): number {
  return Math.round(Math.min(firstMs * 3 ** (failed - 1), longestMs) * (0.8 + 0.4 * random));
}
