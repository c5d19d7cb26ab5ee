import type { SandboxOptions } from '#sandbox/sandbox.ts';
import type { EventStream } from './event-stream.ts';
import { createLiveGateway, type LiveGateway } from './live-gateway.ts';
import { KEY_A } from './test-gateway.ts';

export const FEED = `subscription Feed($after: String, $statuses: [CallStatus!]) {
  callAttemptAdded(after: $after, statuses: $statuses) { cursor node { id status } }
}`;
const PAGE = `query Page($first: Int = 3, $after: String, $statuses: [CallStatus!]) {
  callAttempts(first: $first, after: $after, statuses: $statuses) {
    edges { cursor node { id } } pageInfo { startCursor endCursor }
  }
}`;
export const ids = ({ events }: EventStream) =>
  events.map(({ data }) => data?.callAttemptAdded?.node.id);
export const codes = ({ events }: EventStream) =>
  events.flatMap(({ errors }) => errors?.map(({ extensions }) => extensions.code) ?? []);
export const skips = ({ events }: EventStream) =>
  events.map(({ extensions }) => extensions?.live?.skipped);

interface Page {
  readonly startCursor: string;
  readonly endCursor: string;
  readonly cursors: string[];
  readonly ids: string[];
}

export interface FeedGateway extends LiveGateway {
  /** Inserts attempts at the newest end, one after the other, and returns their ids. */
  insert(count?: number, status?: 'calling' | 'completed'): string[];
  page(variables?: Record<string, unknown>): Promise<Page>;
}

/** A gateway over a sandbox whose list of attempts the test changes. */
export function createFeedGateway(
  settings: Record<string, string> = {},
  sandbox: SandboxOptions = {},
): FeedGateway {
  const gateway = createLiveGateway({ sandbox, settings: { REVOX_RETRIES: '0', ...settings } });
  return {
    ...gateway,
    insert: (count = 1, status = 'completed') =>
      gateway.sandbox.control
        .insertAttempts(KEY_A, { at: 0, count, status })
        .map(({ id }) => id)
        .reverse(),
    async page(variables) {
      const { data } = await gateway.execute(PAGE, variables);
      const edges: { cursor: string; node: { id: string } }[] = data.callAttempts.edges;
      return {
        ...data.callAttempts.pageInfo,
        cursors: edges.map(({ cursor }) => cursor),
        ids: edges.map(({ node }) => node.id),
      };
    },
  };
}

/** The attempts of the sandbox, the newest first. */
export const attemptsOf = ({ sandbox }: LiveGateway) => sandbox.control.data(KEY_A).attempts;
