import type { Gateway } from '#gateway.ts';
import { startTimer } from '#system-clock.ts';

/** A gateway that can be replaced by a new one while its server goes on. */
export interface RestartableGateway extends Gateway {
  /**
   * From now on a new gateway handles the requests. The old one completes those in flight, and ends
   * its subscriptions as before a deployment.
   */
  restart(): void;
}

/** @param drainTimeoutMs after this time without new requests an old gateway is disposed */
export function createRestartableGateway(
  create: () => Gateway,
  drainTimeoutMs: number,
): RestartableGateway {
  let current = create();
  /** The gateways that are draining, with the function that cancels the end of each. */
  const draining = new Map<Gateway, () => void>();
  return {
    fetch: (request) => current.fetch(request),
    canHandlePlain: (head) => current.canHandlePlain(head),
    handlePlain: (request) => current.handlePlain(request),
    reserveUnsent: (request, bytes) => current.reserveUnsent(request, bytes),
    handleUpgrade: (...upgrade) => current.handleUpgrade(...upgrade),
    onRejected: (rejected) => current.onRejected(rejected),
    onDisconnected: (reason) => current.onDisconnected(reason),
    onUnexpectedError: (error) => current.onUnexpectedError(error),
    drain: () => current.drain(),
    async dispose() {
      for (const cancel of draining.values()) cancel();
      await Promise.all([current, ...draining.keys()].map((gateway) => gateway.dispose()));
    },
    restart() {
      const old = current;
      current = create();
      void old.drain();
      const cancel = startTimer(drainTimeoutMs, () => {
        draining.delete(old);
        void old.dispose();
      });
      draining.set(old, cancel);
    },
  };
}
