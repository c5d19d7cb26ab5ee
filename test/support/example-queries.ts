import { exampleOperations } from '#sandbox/example-operations.ts';
import type { SampleIds } from '#sandbox/sample-ids.ts';

/** The example operations of the demo without the subscriptions, whose results are streams. */
export function exampleQueries(ids: SampleIds) {
  return exampleOperations(ids).filter(({ query }) => !/^\s*subscription\b/.test(query));
}
