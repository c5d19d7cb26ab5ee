import { createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';

/** New with each process: a fingerprint that leaks tells nothing of the key behind it. */
const PROCESS_SECRET = randomBytes(32).toString('base64');

/**
 * An API key that no log, error or answer can show by accident: it has no enumerable content, and prints as `[credential]`.
 */
export class Credential {
  readonly #token: string;
  readonly #secret: string;
  readonly #derived = new Map<string, Buffer>();
  /** Names the key without telling it: what every queue, limit and memory is keyed by. */
  readonly fingerprint: string;

  /** @param secret of the keyed hashes; processes that share it know each other's fingerprints. Default: one that nobody shares */
  constructor(token: string, secret = PROCESS_SECRET) {
    this.#token = token;
    this.#secret = secret;
    this.fingerprint = createHmac('sha256', secret).update(token).digest('base64url');
  }

  /** The value of the `Authorization` header. Only `rest/` has a use for it. */
  toAuthorization(): string {
    return `Bearer ${this.#token}`;
  }

  /** A key of 32 bytes that only who knows the credential (and the secret) can derive: one a purpose (HKDF-SHA-256, RFC 5869). */
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
