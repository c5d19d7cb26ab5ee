import type { Plugin } from 'graphql-yoga';
import type { Session } from '#http/auth/session.ts';
import type { OperationScheduler } from '#http/scheduler.ts';

/**
 * Delays an operation until its caller's turn: before its document is parsed and validated, which
 * takes most of the event-loop time that an operation can take.
 */
export function useFairScheduling(
  scheduler: OperationScheduler,
): Plugin<object, { session?: Session | undefined; isScheduled?: boolean | undefined }> {
  return {
    onParams: ({ context: { session, isScheduled } }) =>
      isScheduled || !session ? undefined : scheduler.waitForTurn(session),
  };
}
