import { KeyPassError } from '../../src/errors.ts';

/** The code and the parameter that something is refused with. */
export function refusal(act: () => unknown): [code: string, param: string | undefined] {
  try {
    act();
  } catch (error) {
    if (error instanceof KeyPassError) return [error.code, error.param];
    throw error;
  }
  throw new Error('it was taken');
}
