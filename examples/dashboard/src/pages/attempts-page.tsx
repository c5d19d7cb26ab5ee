import { useApolloClient, useQuery, useSubscription } from '@apollo/client/react';
import { useEffect, useState } from 'react';
import { CallAttemptStatus, CallStatus } from '../__generated__/graphql.ts';
import { type FragmentType, getFragmentData, graphql } from '../__generated__/index.ts';
import { Badge, toWords } from '../parts/badge.tsx';
import { Empty } from '../parts/empty.tsx';
import { LoadMore } from '../parts/load-more.tsx';
import { Page } from '../parts/page.tsx';
import { ProblemNotice } from '../parts/problem-notice.tsx';
import { Skeleton } from '../parts/skeleton.tsx';
import { StaleNotice } from '../parts/stale-notice.tsx';
import { Table } from '../parts/table.tsx';
import { Duration, Time } from '../parts/time.tsx';

const ATTEMPTS = graphql(`
  query Attempts($first: Int!, $after: String, $statuses: [CallStatus!]) {
    callAttempts(first: $first, after: $after, statuses: $statuses) {
      edges { cursor node { id status ...AttemptRow } }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

/** Begins after the newest attempt of the list, so none between the two is missed. */
const NEW_ATTEMPTS = graphql(`
  subscription NewAttempts($after: String, $statuses: [CallStatus!]) {
    callAttemptAdded(after: $after, statuses: $statuses) {
      cursor
      node { id status ...AttemptRow }
    }
  }
`);

const ATTEMPT_ROW = graphql(`
  fragment AttemptRow on CallAttempt {
    id
    status
    result
    phoneNumber
    startedAt
    answeredAt
    endedAt
  }
`);

/** One upstream page has 50 attempts. */
const PAGE_SIZE = 50;
const POLL_INTERVAL_MS = 10_000;

const LIVE: readonly (CallAttemptStatus | null | undefined)[] = [
  CallAttemptStatus.Queued,
  CallAttemptStatus.Ringing,
  CallAttemptStatus.Ongoing,
];

const STATUSES = Object.values(CallStatus).filter((status) => status !== CallStatus.Unrecognized);

export function AttemptsPage() {
  const [status, setStatus] = useState<CallStatus | ''>('');
  return (
    <Page title="Attempts">
      <search className="filters">
        <label>
          Status of the call
          <select
            value={status}
            onChange={({ target }) => setStatus(target.value as CallStatus | '')}
          >
            <option value="">Any</option>
            {STATUSES.map((value) => (
              <option key={value} value={value}>
                {toWords(value)}
              </option>
            ))}
          </select>
        </label>
      </search>
      <StaleNotice operationName="NewAttempts" />
      <AttemptList key={status} statuses={status ? [status] : null} />
    </Page>
  );
}

function AttemptList({ statuses }: { readonly statuses: CallStatus[] | null }) {
  const [variables] = useState({ first: PAGE_SIZE, statuses });
  const { data, loading, error, refetch, fetchMore } = useQuery(ATTEMPTS, {
    variables,
    errorPolicy: 'all',
    fetchPolicy: 'cache-and-network',
    notifyOnNetworkStatusChange: true,
  });
  const list = data?.callAttempts;
  useNewestStates(variables, list?.edges.some(({ node }) => LIVE.includes(node.status)) ?? false);
  return (
    <>
      {error && <ProblemNotice error={error} onRetry={() => void refetch()} />}
      {!list && loading && <Skeleton />}
      {list && <NewAttempts variables={variables} />}
      {list?.edges.length === 0 && <Empty>No attempt has this status.</Empty>}
      {list && list.edges.length > 0 && (
        <Table
          label="Attempts"
          headings={['Started', 'Number', 'Status', 'Result', 'Talk']}
          isLoading={loading}
        >
          {list.edges.map(({ node }) => (
            <AttemptRow key={node.id} of={node} />
          ))}
        </Table>
      )}
      {list?.pageInfo?.hasNextPage && (
        <LoadMore
          isLoading={loading}
          onMore={() => void fetchMore({ variables: { after: list.pageInfo?.endCursor ?? null } })}
        />
      )}
    </>
  );
}

interface Variables {
  readonly first: number;
  readonly statuses: CallStatus[] | null;
}

/**
 * Updates the states of the newest attempts while one of them is live. The response is not written
 * into the cache as a list: it would replace the pages that the reader has loaded.
 */
function useNewestStates({ first, statuses }: Variables, isLive: boolean): void {
  const client = useApolloClient();
  useEffect(() => {
    if (!isLive) return;
    const timer = setInterval(async () => {
      if (document.hidden) return;
      const { data } = await client.query({
        query: ATTEMPTS,
        variables: { first, statuses },
        fetchPolicy: 'no-cache',
        errorPolicy: 'all',
      });
      for (const { node } of data?.callAttempts?.edges ?? [])
        client.writeFragment({
          id: `CallAttempt:${node.id}`,
          fragment: ATTEMPT_ROW,
          fragmentName: 'AttemptRow',
          data: getFragmentData(ATTEMPT_ROW, node),
        });
    }, POLL_INTERVAL_MS);
    return () => clearInterval(timer);
  }, [client, first, statuses, isLive]);
}

/** Puts each new attempt on top of the list in the cache. Is shown when the list has been read. */
function NewAttempts({ variables }: { readonly variables: Variables }) {
  const { cache } = useApolloClient();
  const [after] = useState(
    () => cache.readQuery({ query: ATTEMPTS, variables })?.callAttempts?.edges[0]?.cursor ?? null,
  );
  const [count, setCount] = useState(0);
  useSubscription(NEW_ATTEMPTS, {
    variables: { after, statuses: variables.statuses },
    ignoreResults: true,
    onData({ data: { data } }) {
      const edge = data?.callAttemptAdded;
      if (!edge) return;
      cache.updateQuery({ query: ATTEMPTS, variables }, (list) => {
        const known = list?.callAttempts;
        // An attempt may come again after a reconnect.
        if (!known || known.edges.some(({ node }) => node.id === edge.node.id)) return undefined;
        setCount((before) => before + 1);
        return {
          ...list,
          callAttempts: {
            ...known,
            edges: [{ ...edge, __typename: 'CallAttemptEdge' as const }, ...known.edges],
          },
        };
      });
    },
  });
  return (
    <p className="small" role="status">
      {count > 0 && `${count} new since this page was opened`}
    </p>
  );
}

function AttemptRow({ of }: { readonly of: FragmentType<typeof ATTEMPT_ROW> }) {
  const attempt = getFragmentData(ATTEMPT_ROW, of);
  return (
    <tr>
      <td>
        <Time value={attempt.startedAt} />
      </td>
      <td>{attempt.phoneNumber}</td>
      <td>
        <Badge of={attempt} field="status" value={attempt.status} />
      </td>
      <td>
        <Badge of={attempt} field="result" value={attempt.result} />
      </td>
      <td>
        <Duration from={attempt.answeredAt} to={attempt.endedAt} />
      </td>
    </tr>
  );
}
