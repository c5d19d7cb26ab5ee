import { useEffect, useRef, useState } from 'react';
import { graphql, useLazyLoadQuery, usePaginationFragment } from 'react-relay';
import { Link, useSearchParams } from 'react-router';
import type { callsPage_campaign$key } from './__generated__/callsPage_campaign.graphql.ts';
import type { CallStatus, callsPageListQuery } from './__generated__/callsPageListQuery.graphql.ts';
import type { callsPageMoreQuery } from './__generated__/callsPageMoreQuery.graphql.ts';
import type { callsPageQuery } from './__generated__/callsPageQuery.graphql.ts';
import { toWords } from './raw-values.ts';
import { Problem, Region } from './region.tsx';
import { Select } from './select.tsx';
import { Time } from './time.tsx';

/** The size of an upstream page. */
const PAGE_SIZE = 50;

const STATUSES: readonly CallStatus[] = [
  'INITIALIZING',
  'QUEUED_FOR_CALLING',
  'CALLING',
  'SCHEDULED',
  'COMPLETED',
  'CANCELLED',
  'ERRORED',
];

export function CallsPage() {
  return (
    <>
      <title>Calls</title>
      <h1>Calls</h1>
      <Region>{(fetchKey) => <CampaignCalls fetchKey={fetchKey} />}</Region>
    </>
  );
}

/** The address has the campaign and the status, so the way back from a call leads to the same list. */
function CampaignCalls({ fetchKey }: { readonly fetchKey: number }) {
  const [params, setParams] = useSearchParams();
  const { campaigns } = useLazyLoadQuery<callsPageQuery>(
    graphql`
      query callsPageQuery {
        campaigns(first: 100) {
          nodes {
            id
            name
          }
        }
      }
    `,
    {},
    { fetchKey },
  );
  const id = params.get('campaign') ?? campaigns?.nodes[0]?.id;
  const status = params.get('status') ?? '';
  if (!id) return <p>There are no campaigns.</p>;
  return (
    <>
      <search>
        <Select
          label="Campaign"
          value={id}
          options={campaigns?.nodes.map(({ id, name }) => [id, name ?? id]) ?? []}
          onChange={(campaign) => setParams({ campaign, status })}
        />
        <Select
          label="Status"
          value={status}
          options={[['', 'Any'], ...STATUSES.map((value) => [value, toWords(value)] as const)]}
          onChange={(chosen) => setParams({ campaign: id, status: chosen })}
        />
      </search>
      <Region key={`${id} ${status}`}>
        {(fetchKey) => (
          <CallList id={id} statuses={status ? [status as CallStatus] : null} fetchKey={fetchKey} />
        )}
      </Region>
    </>
  );
}

interface CallListProps {
  readonly id: string;
  readonly statuses: readonly CallStatus[] | null;
  readonly fetchKey: number;
}

function CallList({ id, statuses, fetchKey }: CallListProps) {
  const { campaign } = useLazyLoadQuery<callsPageListQuery>(
    graphql`
      query callsPageListQuery($id: ID!, $statuses: [CallStatus!]) {
        campaign(id: $id) {
          ...callsPage_campaign @arguments(statuses: $statuses)
        }
      }
    `,
    { id, statuses },
    { fetchKey },
  );
  return campaign ? <Rows of={campaign} /> : <p>There is no such campaign.</p>;
}

function Rows({ of }: { readonly of: callsPage_campaign$key }) {
  const { data, hasNext, isLoadingNext, loadNext } = usePaginationFragment<
    callsPageMoreQuery,
    callsPage_campaign$key
  >(
    graphql`
      fragment callsPage_campaign on Campaign
      @refetchable(queryName: "callsPageMoreQuery")
      @argumentDefinitions(
        first: { type: "Int", defaultValue: 50 }
        after: { type: "String" }
        statuses: { type: "[CallStatus!]" }
      ) {
        rows(first: $first, after: $after, statuses: $statuses)
          @connection(key: "callsPage_rows") {
          edges {
            node {
              id
              phoneNumber
              call {
                id
                status
                lastCallAttempt {
                  id
                  startedAt
                  result
                }
              }
            }
          }
        }
      }
    `,
    of,
  );
  const [error, setError] = useState<Error | null>(null);
  const loadMore = () => loadNext(PAGE_SIZE, { onComplete: setError });
  const rows = data.rows?.edges ?? [];
  if (rows.length === 0) return <p>No call has this status.</p>;
  return (
    <>
      <table>
        <thead>
          <tr>
            <th scope="col">Number</th>
            <th scope="col">Status</th>
            <th scope="col">Last attempt</th>
            <th scope="col">Result</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ node: { id, phoneNumber, call } }) => (
            <tr key={id}>
              <td>{call ? <Link to={`/calls/${call.id}`}>{phoneNumber}</Link> : phoneNumber}</td>
              <td>{toWords(call?.status, call?.id, 'status')}</td>
              <td>
                <Time value={call?.lastCallAttempt?.startedAt} />
              </td>
              <td>{toWords(call?.lastCallAttempt?.result, call?.lastCallAttempt?.id, 'result')}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {error && <Problem error={error} onRetry={loadMore} />}
      {hasNext && !error && <LoadMore isLoading={isLoadingNext} onMore={loadMore} />}
    </>
  );
}

interface LoadMoreProps {
  readonly isLoading: boolean;
  readonly onMore: () => void;
}

/** Loads the next page when the end of the list scrolls into view. The button serves keyboards. */
function LoadMore({ isLoading, onMore }: LoadMoreProps) {
  const button = useRef<HTMLButtonElement>(null);
  const latest = useRef(onMore);
  latest.current = onMore;
  useEffect(() => {
    if (!button.current || isLoading) return;
    const observer = new IntersectionObserver(
      ([entry]) => entry?.isIntersecting && latest.current(),
      { rootMargin: '400px' },
    );
    observer.observe(button.current);
    return () => observer.disconnect();
  }, [isLoading]);
  return (
    <button type="button" ref={button} disabled={isLoading} onClick={onMore}>
      {isLoading ? 'Loading…' : 'Load more'}
    </button>
  );
}
