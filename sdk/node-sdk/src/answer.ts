import { ApiError, errorFromWire, isRecord, type KeyPassError } from './errors.ts';
import type { Guard } from './guards.ts';

/** Reads `data` of `{success: true, data}`; throws the failure that another answer tells. */
export function readData<T>(isExpected: Guard<T>): (response: Response) => Promise<T> {
  return async (response) => {
    if (!response.ok) throw await failureOf(response);
    const body = await readJson(response);
    if (isRecord(body) && body['success'] === true && isExpected(body['data'])) return body['data'];
    throw unexpected(response, 'The answer is not one of KeyPass; check baseUrl');
  };
}

/** The error of an answer that is not a success. */
export async function failureOf(response: Response): Promise<KeyPassError> {
  const body = await readJson(response);
  return errorFromWire(isRecord(body) ? body['error'] : undefined, response.status, response.headers);
}

/** Tokens must never follow a redirect to another place, so a redirect is a failure. */
export function refuseRedirect(response: Response): void {
  const { status, type } = response;
  const redirects = type === 'opaqueredirect' || (status >= 300 && status < 400 && status !== 304);
  if (redirects) throw unexpected(response, 'The answer is a redirect, which KeyPass never gives; check baseUrl');
}

/** For an answer that KeyPass would not give. */
export function unexpected(response: Response, message: string): ApiError {
  return new ApiError(message, {
    code: 'unexpected_answer',
    status: response.status,
    requestId: response.headers.get('x-request-id') ?? undefined,
  });
}

async function readJson(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
