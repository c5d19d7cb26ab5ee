import { UpstreamNotFoundError } from '#errors/upstream-error.ts';

/** Converts a missing single object (404, 410) to null; every other failure still rejects. */
export function nullIfNotFound<T>(loading: Promise<T>): Promise<T | null> {
  return loading.catch((error: unknown) => {
    if (error instanceof UpstreamNotFoundError) return null;
    throw error;
  });
}

/** The result of DataLoader for a failed key: null for a missing object, otherwise an `Error`. */
export function toFailedResult(error: unknown): null | Error {
  return error instanceof UpstreamNotFoundError ? null : toKeyError(error);
}

/** DataLoader treats an `Error` in its results as the failure of that key alone. */
export function toKeyError(error: unknown): Error {
  return error instanceof Error
    ? error
    : new Error('Something other than an Error was thrown.', { cause: error });
}
