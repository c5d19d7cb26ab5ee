import {
  CredentialRejectedError,
  type UpstreamError,
  UpstreamRejectedError,
  type UpstreamRequestLine,
} from '#errors/upstream-error.ts';
import type { Budget, UpstreamContext } from '#rest/upstream-context.ts';
import type { AcceptedCredentials } from './accepted-credentials.ts';
import type { ConcurrencyLimiter } from './concurrency-limiter.ts';
import {
  CredentialRejectedWhileQueuedError,
  createRejectedCredentials,
  type RejectedCredentialsOptions,
} from './rejected-credentials.ts';

/**
 * Records whether the upstream accepts or rejects a credential, and applies it to all requests with
 * the same credential: requests with a rejected credential fail without being sent.
 */
export interface CredentialStatus {
  /** Records that the upstream has accepted the credential. */
  accept(credential: string): void;
  /** Records a 401 for this credential and path. */
  reject(credential: string, path: string): void;
  /**
   * Returns the error for a request that must not be sent because the upstream rejected its
   * credential.
   */
  findRejection(
    context: UpstreamContext,
    requestLine: UpstreamRequestLine,
  ): UpstreamError | undefined;
  /**
   * Returns the error of a 401. With a caller's key, the budget stores the error: the operation
   * sends nothing more. With the gateway's own key, the operation's other requests are still sent.
   */
  recordRejection(budget: Budget, requestLine: UpstreamRequestLine): UpstreamError;
}

export interface CredentialStatusOptions extends RejectedCredentialsOptions {
  readonly acceptedCredentials: AcceptedCredentials;
  readonly concurrencyLimiter: ConcurrencyLimiter;
}

export function createCredentialStatus(options: CredentialStatusOptions): CredentialStatus {
  const { keyHolder, acceptedCredentials, concurrencyLimiter } = options;
  const rejectedCredentials = createRejectedCredentials(options);

  return {
    accept(credential) {
      rejectedCredentials.delete(credential);
      if (acceptedCredentials.has(credential)) return;
      acceptedCredentials.add(credential);
      concurrencyLimiter.reevaluate(credential);
    },
    reject(credential, path) {
      rejectedCredentials.add(credential, path);
      acceptedCredentials.delete(credential);
      concurrencyLimiter.reevaluate(credential);
      if (rejectedCredentials.has(credential))
        concurrencyLimiter.rejectQueued(credential, new CredentialRejectedWhileQueuedError());
    },
    findRejection({ budget, credential }, requestLine) {
      if (budget.credentialRejection) return budget.credentialRejection;
      return rejectedCredentials.shouldReject(credential.fingerprint, requestLine.path)
        ? recordRejection(budget, requestLine)
        : undefined;
    },
    recordRejection,
  };

  function recordRejection(budget: Budget, requestLine: UpstreamRequestLine): UpstreamError {
    if (keyHolder === 'gateway') return new UpstreamRejectedError(requestLine, 401, false);
    budget.credentialRejection ??= new CredentialRejectedError(requestLine, 401, false);
    return budget.credentialRejection;
  }
}
