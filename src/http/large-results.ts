import type { RequestContext } from '#context/request-context.ts';
import type { Beginnings } from './beginnings.ts';
import type { Admission } from './use-admission.ts';

/** By the estimate that `MAX_ANSWER_BYTES` bounds. */
const MAX_SMALL_RESULT_BYTES = 262_144;

/**
 * To be awaited before a result is written as text; undefined: at once. A hundred operations that wait for one answer of the upstream end in the same
 * moment, and a hundred texts of 10 MB would exceed the heap. So a large result waits for its caller's turn, and each text is given to its
 * socket before the next one is written.
 * @throws GatewayError when the caller has left too much unread meanwhile
 */
export function waitToWrite({ answer }: RequestContext, admission: Admission, beginnings: Beginnings): Promise<void> | undefined {
  return answer.bytes > MAX_SMALL_RESULT_BYTES ? wait(admission, beginnings) : undefined;
}

async function wait(admission: Admission, beginnings: Beginnings): Promise<void> {
  await beginnings.wait(admission, true);
  admission.checkUnsent();
}
