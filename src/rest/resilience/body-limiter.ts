import type { Budget } from '#rest/upstream-context.ts';
import { type BudgetedOperation, OperationBudget, type Reservations } from './operation-budget.ts';

/**
 * Bounds the bytes of response bodies that operations hold, overall and per credential. An
 * operation holds the bytes it reads until it ends, because its response is built from them. At a
 * limit, the operation that has held bytes for the longest time reads on, up to its own budget, so
 * one operation always completes. The other operations pause. When bytes are released, credentials
 * take turns to resume, and within a credential its callers take turns. Each caller may always hold
 * a minimum, so that no other caller stalls it.
 */
export interface BodyLimiter {
  /** Opens the upstream budget of one operation. Its bytes are released when its signal aborts. */
  openBudget(operation: BudgetedOperation): Budget;
  /** Reserved by all operations, in bytes. */
  readonly reservedBytes: number;
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

const RESERVATION_BYTES = 262_144;
/**
 * A caller whose operations hold less than this reads on, regardless of the bytes of all other
 * callers.
 */
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

  /** The next waiting operation that may read on: the oldest of the credential first. */
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
