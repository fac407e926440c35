/** The time, as an argument: tests move it, the product reads it. */
export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };

/** How much later than it is due a limit may be noticed, in milliseconds. */
const tickMs = 50;

/** `now` is on the clock of `performance.now()`. */
type Look = (now: number) => void;

const looks = new Set<Look>();
let ticking: ReturnType<typeof setInterval> | undefined;

/**
 * Calls `look` every 50 ms until `offTick`: for limits that are hardly ever reached, so that all who wait share one timer
 * in place of setting and clearing one each.
 */
export function onTick(look: Look): void {
  looks.add(look);
  ticking ??= setInterval(tick, tickMs);
}

/** Stops the looks. The last one to leave stops the timer, so that nothing keeps an idle process awake. */
export function offTick(look: Look): void {
  looks.delete(look);
  if (looks.size > 0) return;
  clearInterval(ticking);
  ticking = undefined;
}

function tick(): void {
  const now = performance.now();
  for (const look of looks) look(now);
}
