import { hash } from 'node:crypto';

/** Bytes of a fingerprint: 48 bits keep a chance match among the thousand items of a search below one in 10¹¹. */
export const FINGERPRINT_BYTES = 6;

/** A short, stable name for a text; it keeps cursors short and is no secret. */
export function fingerprint(text: string): Buffer {
  return hash('sha1', text, 'buffer').subarray(0, FINGERPRINT_BYTES);
}
