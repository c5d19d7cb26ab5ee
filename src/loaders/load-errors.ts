import { UpstreamNotFoundError } from '#errors/upstream-error.ts';

/** Converts a missing single object (404, 410) to null; every other failure still rejects. */
export async function nullIfNotFound<T>(loading: Promise<T>): Promise<T | null> {
  try {
    return await loading;
  } catch (error) {
    if (error instanceof UpstreamNotFoundError) return null;
    throw error;
  }
}

/** DataLoader treats an `Error` in its results as the failure of that key alone. */
export function toKeyError(error: unknown): Error {
  return error instanceof Error
    ? error
    : new Error('Something other than an Error was thrown.', { cause: error });
}
