import type { CancellationSignal } from '#cancellation.ts';
import { BudgetExceededError } from '#errors/gateway-error.ts';
import type { UpstreamError } from '#errors/upstream-error.ts';
import type { Budget } from '#rest/upstream-context.ts';

export interface BudgetedOperation {
  /** The fingerprint of the credential. */
  readonly credential: string;
  /** One of the callers that share the credential; undefined if callers are not distinguished. */
  readonly caller: string | undefined;
  readonly signal: CancellationSignal;
  readonly maxRequests: number;
  /** Decoded body bytes, retries included. */
  readonly maxBytes: number;
}

/** Bytes that every operation reads without a reservation: most operations read no more. */
const FREE_BYTES = 65_536;

/** What the budget of an operation needs of the limiter. */
export interface Reservations {
  /** @returns a promise to await before reading on; undefined if reading may go on now */
  reserve(operation: OperationBudget): Promise<void> | undefined;
  /** @returns a promise to await before the next request; undefined if it may be sent now */
  waitForCapacity(operation: OperationBudget): Promise<void> | undefined;
  release(operation: OperationBudget): void;
}

/** The upstream budget of one operation: its requests, and the bytes of its response bodies. */
export class OperationBudget implements Budget {
  readonly maxRequests: number;
  credentialRejection: UpstreamError | undefined;
  readonly credential: string;
  readonly caller: string;
  /** Reserved in addition to `FREE_BYTES`. */
  reservedBytes = 0;
  readonly #maxBytes: number;
  readonly #signal: CancellationSignal;
  readonly #reservations: Reservations;
  readonly #parent: OperationBudget | undefined;
  #sentRequests = 0;
  #receivedBytes = 0;
  /** One error for all fields: each new error captures a stack. */
  #bytesExceededError: BudgetExceededError | undefined;
  #isListening = false;
  #pendingWait: PromiseWithResolvers<void> | undefined;

  /**
   * @param parent the operation's budget, if this is a background budget: requests count there,
   *   bytes count here
   */
  constructor(
    { credential, caller = '', signal, maxRequests, maxBytes }: BudgetedOperation,
    reservations: Reservations,
    parent?: OperationBudget,
  ) {
    this.maxRequests = maxRequests;
    this.credential = credential;
    this.caller = caller;
    this.#maxBytes = maxBytes;
    this.#signal = signal;
    this.#reservations = reservations;
    this.#parent = parent;
  }

  get sentRequests(): number {
    return this.#parent?.sentRequests ?? this.#sentRequests;
  }

  set sentRequests(requests: number) {
    if (this.#parent) this.#parent.sentRequests = requests;
    else this.#sentRequests = requests;
  }

  get exceededError(): BudgetExceededError | undefined {
    return (
      this.bytesExceededError ??
      (this.sentRequests < this.maxRequests
        ? undefined
        : new BudgetExceededError('requests', this.maxRequests))
    );
  }

  get bytesExceededError(): BudgetExceededError | undefined {
    return this.#receivedBytes > this.#maxBytes ? this.#tooManyBytes() : undefined;
  }

  get isWaiting(): boolean {
    return this.#pendingWait !== undefined;
  }

  /** Bytes that were read and not reserved. */
  get unreservedBytes(): number {
    return this.#receivedBytes - this.reservedBytes - FREE_BYTES;
  }

  consumeBytes(bytes: number): Promise<void> | undefined {
    this.#receivedBytes += bytes;
    if (this.#receivedBytes > this.#maxBytes) throw this.#tooManyBytes();
    if (this.unreservedBytes <= 0) return undefined;
    this.#releaseOnAbort();
    return this.#pendingWait?.promise ?? this.#reservations.reserve(this);
  }

  waitForCapacity(): Promise<void> | undefined {
    if (this.#pendingWait) return this.#pendingWait.promise;
    if (this.#signal.aborted) return undefined;
    const capacityAvailable = this.#reservations.waitForCapacity(this);
    if (capacityAvailable) this.#releaseOnAbort();
    return capacityAvailable;
  }

  openBackground(signal: CancellationSignal): Budget {
    const { credential, caller, maxRequests } = this;
    const operation = { credential, caller, signal, maxRequests, maxBytes: this.#maxBytes };
    return new OperationBudget(operation, this.#reservations, this);
  }

  /** Called by the limiter when it queues the operation. */
  startWaiting(): Promise<void> {
    this.#pendingWait = Promise.withResolvers();
    // Prevents an unhandled rejection if the operation no longer awaits the promise.
    this.#pendingWait.promise.catch(() => {});
    return this.#pendingWait.promise;
  }

  resume(): void {
    this.#pendingWait?.resolve();
    this.#pendingWait = undefined;
  }

  /**
   * Releases the operation's bytes when its signal aborts. A request of the operation may still be
   * in flight then, because another operation joined the request. This request fails if the
   * operation has read more than `FREE_BYTES` in all.
   */
  #releaseOnAbort(): void {
    if (this.#signal.aborted) throw this.#tooManyBytes();
    if (this.#isListening) return;
    this.#isListening = true;
    const onEnd = () => {
      const pendingWait = this.#pendingWait;
      this.#pendingWait = undefined;
      this.#reservations.release(this);
      pendingWait?.reject(this.#tooManyBytes());
    };
    this.#signal.addEventListener('abort', onEnd, { once: true });
  }

  #tooManyBytes(): BudgetExceededError {
    this.#bytesExceededError ??= new BudgetExceededError('bytes', this.#maxBytes);
    return this.#bytesExceededError;
  }
}
