import type { RequestContext } from '#context/request-context.ts';
import type { Session } from '#http/auth/session.ts';
import type { OperationScheduler } from './scheduler.ts';

/**
 * Maximum size of a result that is serialized without waiting, in bytes, as `ResponseBudget.bytes`
 * estimates it.
 */
const MAX_SMALL_RESULT_BYTES = 262_144;

/**
 * Waits until a result may be serialized. Undefined: at once. A hundred operations that wait for
 * the same upstream response end at the same moment, and a hundred strings of 10 MB would exceed
 * the heap. So a large result waits for its caller's turn, and the server copies each string to
 * bytes outside of the heap before the next result is serialized.
 * @throws GatewayError when the caller has too many unsent bytes by then
 */
export function waitToSerialize(
  { responseBudget }: RequestContext,
  session: Session,
  scheduler: OperationScheduler,
): Promise<void> | undefined {
  return responseBudget.bytes > MAX_SMALL_RESULT_BYTES
    ? waitForExclusiveTurn(session, scheduler)
    : undefined;
}

async function waitForExclusiveTurn(
  session: Session,
  scheduler: OperationScheduler,
): Promise<void> {
  await scheduler.waitForTurn(session, true);
  session.checkUnsentBudget();
}
