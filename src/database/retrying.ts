import { isRetryable } from './failures.ts';

const maxAttempts = 5;
const backoffMilliseconds = 10;

/** Runs what a serialization failure or a deadlock has rolled back again, so it must have no effect but in the database. */
export async function retrying<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === maxAttempts || !isRetryable(error)) throw error;
      const longest = backoffMilliseconds * 2 ** attempt;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * longest));
    }
  }
}
