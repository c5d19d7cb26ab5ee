import { UpstreamNotFoundError } from '#errors/upstream-error.ts';

/** A single object that is not there (404, 410) is null; every other failure stays one. */
export async function nullIfNotFound<T>(loading: Promise<T>): Promise<T | null> {
  try {
    return await loading;
  } catch (error) {
    if (error instanceof UpstreamNotFoundError) return null;
    throw error;
  }
}

/** DataLoader takes an `Error` for the failure of one key alone. */
export function toKeyError(error: unknown): Error {
  return error instanceof Error ? error : new Error('Something that is no Error was thrown.', { cause: error });
}
