import { createHmac, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';

/** New with each process: a fingerprint that leaks tells nothing of the key behind it. */
const FINGERPRINT_SECRET = randomBytes(32);

/**
 * An API key that no log, error or answer can show by accident: it has no enumerable content, and prints as `[credential]`.
 */
export class Credential {
  readonly #token: string;
  /** Names the key without telling it: what every queue, limit and memory is keyed by. */
  readonly fingerprint: string;

  constructor(token: string) {
    this.#token = token;
    this.fingerprint = createHmac('sha256', FINGERPRINT_SECRET).update(token).digest('base64url');
  }

  /** The value of the `Authorization` header. Only `rest/` has a use for it. */
  toAuthorization(): string {
    return `Bearer ${this.#token}`;
  }

  toJSON(): string {
    return '[credential]';
  }

  [inspect.custom](): string {
    return '[credential]';
  }
}
