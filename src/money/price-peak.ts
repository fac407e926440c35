import type { Fraction } from './amount.ts';
import { type Rate, rateKeys, type RateName, type Rates, rateStep, type RateStep } from './price-rates.ts';

/** The hours in which all of a price is multiplied. */
export interface Peak {
  /** Minutes of the UTC day: from the first, up to the second. */
  readonly hours: readonly (readonly [from: number, to: number])[];
  /** Days of the UTC week, Sunday is 0. */
  readonly days: readonly number[];
  readonly rates: Rates;
}

/** The rates that hold at a moment. */
export function ratesAt({ rates, peak }: { readonly rates: Rates; readonly peak?: Peak }, at: Date): Rates {
  return peak !== undefined && isPeak(peak, at) ? peak.rates : rates;
}

function isPeak({ hours, days }: Peak, at: Date): boolean {
  const minute = at.getUTCHours() * 60 + at.getUTCMinutes();
  return days.includes(at.getUTCDay()) && hours.some(([from, to]) => minute >= from && minute < to);
}

/** All of these rates so many times. */
export function timesRates(rates: Rates, times: Fraction): Rates {
  const dearer: { [Name in RateName]?: Rate } = {};
  for (const { name } of rateKeys.values()) {
    const [base, ...above] = rates[name] ?? [];
    if (base !== undefined) dearer[name] = [timesStep(base, times), ...above.map((step) => timesStep(step, times))];
  }
  return dearer;
}

function timesStep({ above, per, pico }: RateStep, times: Fraction): RateStep {
  const numerator = pico.numerator * BigInt(per) * times.numerator;
  return rateStep(above, { numerator, denominator: pico.denominator * 10n ** 12n * times.denominator }, per);
}
