import { hash } from 'node:crypto';

/**
 * 48 bits keep the chance of a false match among the thousand items of a search below one in 10¹¹.
 */
export const FINGERPRINT_BYTES = 6;

/** A short, stable hash of a text: it keeps cursors short and does not need to be secret. */
export function fingerprint(text: string): Buffer {
  return hash('sha1', text, 'buffer').subarray(0, FINGERPRINT_BYTES);
}
