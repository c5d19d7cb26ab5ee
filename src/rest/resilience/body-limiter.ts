import { BudgetExceededError } from '#errors/gateway-error.ts';
import type { UpstreamError } from '#errors/upstream-error.ts';
import type { Budget } from '#rest/upstream-context.ts';

/**
 * Bounds the bytes of response bodies that operations hold, overall and per credential. An
 * operation holds the bytes it reads until it ends, because its response is built from them. At a
 * bound, the operation that has held bytes for the longest time reads on, up to its own budget, so
 * one operation always completes. The others pause, and resume as bytes are released, round-robin
 * by credential, and by caller within a credential. Each caller may always hold a minimum, so that
 * no other caller stalls it.
 */
export interface BodyLimiter {
  /** Opens the upstream budget of one operation. Its bytes are released when its signal aborts. */
  openBudget(operation: BudgetedOperation): Budget;
  /** Reserved by all operations, in bytes. */
  readonly reservedBytes: number;
}

export interface BudgetedOperation {
  /** The fingerprint of the credential. */
  readonly credential: string;
  /** One of the callers that share the credential; undefined if callers are not distinguished. */
  readonly caller: string | undefined;
  readonly signal: AbortSignal;
  readonly maxRequests: number;
  /** Decoded body bytes, retries included. */
  readonly maxBytes: number;
}

export interface BodyLimiterOptions {
  /**
   * Limit over all operations, in bytes. The one operation that always reads on may exceed it by
   * its own budget.
   * @default 32 MiB
   */
  readonly maxBytes?: number;
  /**
   * Limit over all operations of one credential, in bytes.
   * @default 12 MiB
   */
  readonly maxBytesPerCredential?: number;
}

/** Bytes that every operation reads without a reservation: most operations read no more. */
const FREE_BYTES = 65_536;
const RESERVATION_BYTES = 262_144;
/** A caller whose operations hold less than this reads on, whatever all other callers hold. */
const MIN_BYTES_PER_CALLER = 2 ** 20;

/** The bytes that the operations of one caller hold, and the operations that wait. */
interface CallerUsage {
  bytes: number;
  readonly waiting: Set<OperationBudget>;
}

/** The bytes that the operations of one credential hold. */
interface CredentialUsage {
  bytes: number;
  waiting: number;
  /** The operations that hold bytes, the oldest first. */
  readonly reservedBy: Set<OperationBudget>;
  /** The callers whose operations hold bytes or wait; the first is next. */
  readonly callers: Map<string, CallerUsage>;
}

export function createBodyLimiter(options: BodyLimiterOptions = {}): BodyLimiter {
  const { maxBytes = 32 * 2 ** 20, maxBytesPerCredential = 12 * 2 ** 20 } = options;
  const usageByCredential = new Map<string, CredentialUsage>();
  /** The operations that hold bytes, the oldest first. */
  const reservedBy = new Set<OperationBudget>();
  /** The credentials with waiting operations; the first is next. */
  const waitingCredentials = new Set<CredentialUsage>();
  let reservedBytes = 0;

  const reservations: Reservations = {
    reserve(operation) {
      const credentialUsage = credentialUsageOf(operation.credential);
      const callerUsage = callerUsageOf(credentialUsage, operation.caller);
      if (!canReserve(operation, credentialUsage, callerUsage))
        return enqueue(operation, credentialUsage, callerUsage);
      grant(operation, credentialUsage, callerUsage);
      return undefined;
    },
    waitForCapacity(operation) {
      // The bytes before an operation's first reservation are free.
      if (operation.reservedBytes === 0) return undefined;
      const credentialUsage = credentialUsageOf(operation.credential);
      const callerUsage = callerUsageOf(credentialUsage, operation.caller);
      return canReserve(operation, credentialUsage, callerUsage)
        ? undefined
        : enqueue(operation, credentialUsage, callerUsage);
    },
    release(operation) {
      const credentialUsage = credentialUsageOf(operation.credential);
      const callerUsage = callerUsageOf(credentialUsage, operation.caller);
      reservedBytes -= operation.reservedBytes;
      credentialUsage.bytes -= operation.reservedBytes;
      callerUsage.bytes -= operation.reservedBytes;
      operation.reservedBytes = 0;
      reservedBy.delete(operation);
      credentialUsage.reservedBy.delete(operation);
      dequeue(operation, credentialUsage, callerUsage);
      if (callerUsage.bytes === 0 && callerUsage.waiting.size === 0)
        credentialUsage.callers.delete(operation.caller);
      if (credentialUsage.callers.size === 0) usageByCredential.delete(operation.credential);
      dispatch();
    },
  };

  return {
    openBudget: (operation) => new OperationBudget(operation, reservations),
    get reservedBytes() {
      return reservedBytes;
    },
  };

  function credentialUsageOf(credential: string): CredentialUsage {
    let credentialUsage = usageByCredential.get(credential);
    if (!credentialUsage) {
      credentialUsage = { bytes: 0, waiting: 0, reservedBy: new Set(), callers: new Map() };
      usageByCredential.set(credential, credentialUsage);
    }
    return credentialUsage;
  }

  function callerUsageOf({ callers }: CredentialUsage, name: string): CallerUsage {
    let callerUsage = callers.get(name);
    if (!callerUsage) {
      callerUsage = { bytes: 0, waiting: new Set() };
      callers.set(name, callerUsage);
    }
    return callerUsage;
  }

  function canReserve(
    operation: OperationBudget,
    credentialUsage: CredentialUsage,
    callerUsage: CallerUsage,
  ): boolean {
    if (callerUsage.bytes < MIN_BYTES_PER_CALLER || isFirst(reservedBy, operation)) return true;
    return (
      reservedBytes < maxBytes &&
      (credentialUsage.bytes < maxBytesPerCredential ||
        isFirst(credentialUsage.reservedBy, operation))
    );
  }

  function grant(
    operation: OperationBudget,
    credentialUsage: CredentialUsage,
    callerUsage: CallerUsage,
  ): void {
    const bytes =
      Math.max(1, Math.ceil(operation.unreservedBytes / RESERVATION_BYTES)) * RESERVATION_BYTES;
    operation.reservedBytes += bytes;
    reservedBytes += bytes;
    credentialUsage.bytes += bytes;
    callerUsage.bytes += bytes;
    reservedBy.add(operation);
    credentialUsage.reservedBy.add(operation);
  }

  function enqueue(
    operation: OperationBudget,
    credentialUsage: CredentialUsage,
    callerUsage: CallerUsage,
  ): Promise<void> {
    callerUsage.waiting.add(operation);
    credentialUsage.waiting += 1;
    waitingCredentials.add(credentialUsage);
    return operation.startWaiting();
  }

  function dequeue(
    operation: OperationBudget,
    credentialUsage: CredentialUsage,
    callerUsage: CallerUsage,
  ): void {
    if (!callerUsage.waiting.delete(operation)) return;
    credentialUsage.waiting -= 1;
    if (credentialUsage.waiting === 0) waitingCredentials.delete(credentialUsage);
  }

  function dispatch(): void {
    for (const credentialUsage of waitingCredentials) {
      const next = nextOf(credentialUsage);
      if (!next) continue;
      const callerUsage = callerUsageOf(credentialUsage, next.caller);
      dequeue(next, credentialUsage, callerUsage);
      // Move the caller behind the other callers, and the credential behind the other credentials.
      credentialUsage.callers.delete(next.caller);
      credentialUsage.callers.set(next.caller, callerUsage);
      waitingCredentials.delete(credentialUsage);
      if (credentialUsage.waiting > 0) waitingCredentials.add(credentialUsage);
      grant(next, credentialUsage, callerUsage);
      next.resume();
    }
  }

  /** The next waiting operation that may read on. The oldest comes first: it may always read on. */
  function nextOf(credentialUsage: CredentialUsage): OperationBudget | undefined {
    const [oldest] = credentialUsage.reservedBy;
    if (
      oldest?.isWaiting &&
      canReserve(oldest, credentialUsage, callerUsageOf(credentialUsage, oldest.caller))
    )
      return oldest;
    for (const callerUsage of credentialUsage.callers.values()) {
      const [first] = callerUsage.waiting;
      if (first && canReserve(first, credentialUsage, callerUsage)) return first;
    }
    return undefined;
  }
}

function isFirst(operations: ReadonlySet<OperationBudget>, operation: OperationBudget): boolean {
  const [first] = operations;
  return first === operation;
}

/** What the budget of an operation needs of the limiter. */
interface Reservations {
  /** @returns a promise to await before reading on; undefined if reading may go on now */
  reserve(operation: OperationBudget): Promise<void> | undefined;
  /** @returns a promise to await before the next request; undefined if it may be sent now */
  waitForCapacity(operation: OperationBudget): Promise<void> | undefined;
  release(operation: OperationBudget): void;
}

class OperationBudget implements Budget {
  readonly maxRequests: number;
  credentialRejection: UpstreamError | undefined;
  readonly credential: string;
  readonly caller: string;
  /** Reserved in addition to `FREE_BYTES`. */
  reservedBytes = 0;
  readonly #maxBytes: number;
  readonly #signal: AbortSignal;
  readonly #reservations: Reservations;
  readonly #parent: OperationBudget | undefined;
  #sentRequests = 0;
  #receivedBytes = 0;
  /** One error for all fields: each new error captures a stack. */
  #bytesExceededError: BudgetExceededError | undefined;
  #isListening = false;
  #pendingWait: PromiseWithResolvers<void> | undefined;

  /**
   * @param parent the budget whose request count this one shares, if it has only its bytes for
   *   itself
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

  openBackground(signal: AbortSignal): Budget {
    const { credential, caller, maxRequests } = this;
    const operation = { credential, caller, signal, maxRequests, maxBytes: this.#maxBytes };
    return new OperationBudget(operation, this.#reservations, this);
  }

  /** Called by the limiter when it queues the operation. */
  startWaiting(): Promise<void> {
    this.#pendingWait = Promise.withResolvers();
    // The operation may not await it any more: avoid an unhandled rejection.
    this.#pendingWait.promise.catch(() => {});
    return this.#pendingWait.promise;
  }

  resume(): void {
    this.#pendingWait?.resolve();
    this.#pendingWait = undefined;
  }

  /**
   * Releases the operation's bytes when its signal aborts. A request of the operation may still be
   * in flight because another operation joined it: then large bodies are not read on.
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
