import { kinds, type Operation, type OperationKind } from '../fixture/operations.ts';
import { type Client, createClient } from '../harness/load.ts';
import {
  type ServerProcess,
  type StartOptions,
  startServer,
  type UpstreamProcess,
} from '../harness/start.ts';
import { HEADERS, type Target } from '../targets.ts';

/** A target in a process of its own. */
export interface StartedTarget extends AsyncDisposable {
  readonly target: Target;
  readonly served: ServerProcess;
  readonly client: Client;
}

export interface StartTargetOptions {
  readonly connections?: number;
  /** How to start the target; by default with its log. */
  readonly start?: (upstreamUrl: string) => StartOptions;
}

const CONNECTIONS = 16;

/**
 * Distinct operations sent in turn to targets without a cache, so that none of their requests are
 * coalesced.
 */
const DISTINCT_OPERATIONS = 64;
/** The first operation that no load uses. */
export const FIRST_UNUSED = 1_000;

export async function startTarget(
  target: Target,
  upstream: UpstreamProcess,
  { connections = CONNECTIONS, start = target.start }: StartTargetOptions = {},
): Promise<StartedTarget> {
  const served = await startServer(start(upstream.url));
  const client = createClient(served, HEADERS, connections);
  return {
    target,
    served,
    client,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await served[Symbol.asyncDispose]();
    },
  };
}

export async function checkAllOperations({ client }: StartedTarget): Promise<void> {
  for (const kind of kinds) for (const number of [0, 1]) await client.check(kind.at(number));
}

/** One repeated operation for caching targets; distinct operations for the others. */
export function operationsFor({ isCaching }: Target, kind: OperationKind): readonly Operation[] {
  return Array.from({ length: isCaching ? 1 : DISTINCT_OPERATIONS }, (_, number) =>
    kind.at(number),
  );
}
