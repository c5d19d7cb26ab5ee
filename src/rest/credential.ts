import { createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';

/** A new secret for each process: a leaked fingerprint reveals nothing about its key. */
const PROCESS_SECRET = randomBytes(32).toString('base64');

/**
 * An API key that cannot leak into a log, an error or a response by accident: the key is in a
 * private field, and the object prints as `[credential]`.
 */
export class Credential {
  readonly #token: string;
  readonly #secret: string;
  readonly #derived = new Map<string, Buffer>();
  /** Identifies the key without revealing it: every queue, limit and cache is keyed by it. */
  readonly fingerprint: string;

  /**
   * @param secret the key of the hashes. Processes that share it compute the same fingerprints; by
   *   default, each process has its own.
   */
  constructor(token: string, secret = PROCESS_SECRET) {
    this.#token = token;
    this.#secret = secret;
    this.fingerprint = createHmac('sha256', secret).update(token).digest('base64url');
  }

  /** The value of the `Authorization` header. Only `rest/` needs it. */
  toAuthorization(): string {
    return `Bearer ${this.#token}`;
  }

  /**
   * Derives a key of 32 bytes from the credential and the secret, a different one for each purpose
   * (HKDF-SHA-256, RFC 5869).
   */
  deriveKey(purpose: string): Buffer {
    let key = this.#derived.get(purpose);
    if (!key) {
      key = Buffer.from(hkdfSync('sha256', this.#token, this.#secret, purpose, 32));
      this.#derived.set(purpose, key);
    }
    return key;
  }

  toJSON(): string {
    return '[credential]';
  }

  [inspect.custom](): string {
    return '[credential]';
  }
}
