import { useQuery, useSubscription } from '@apollo/client/react';
import { useDeferredValue, useState } from 'react';
import { Link, useParams } from 'react-router';
import { CampaignRowResult } from '../__generated__/graphql.ts';
import { type FragmentType, getFragmentData, graphql } from '../__generated__/index.ts';
import { Badge, toWords } from '../parts/badge.tsx';
import { Empty } from '../parts/empty.tsx';
import { LoadMore } from '../parts/load-more.tsx';
import { Page } from '../parts/page.tsx';
import { ProblemNotice } from '../parts/problem-notice.tsx';
import { Progress } from '../parts/progress.tsx';
import { Skeleton } from '../parts/skeleton.tsx';
import { StaleNotice } from '../parts/stale-notice.tsx';
import { Table } from '../parts/table.tsx';
import { CampaignStatus } from './campaigns-page.tsx';

const CAMPAIGN = graphql(`
  query CampaignPage($id: ID!) {
    campaign(id: $id) {
      id
      name
      status
      isCancelled
      assistant { id name }
      all: rows(first: 1) { totalCount }
      completed: rows(first: 1, statuses: [COMPLETED]) { totalCount }
    }
  }
`);

/** Its events update the campaign in the cache, and so the query above. */
const CAMPAIGN_UPDATES = graphql(`
  subscription CampaignUpdates($id: ID!) {
    campaignUpdated(id: $id) {
      id
      status
      isCancelled
      all: rows(first: 1) { totalCount }
      completed: rows(first: 1, statuses: [COMPLETED]) { totalCount }
    }
  }
`);

const ROWS = graphql(`
  query CampaignRows(
    $id: ID!
    $first: Int!
    $after: String
    $result: CampaignRowResult
    $query: String
  ) {
    campaign(id: $id) {
      id
      rows(first: $first, after: $after, result: $result, query: $query) {
        edges { node { id ...CampaignRow } }
        pageInfo { hasNextPage endCursor }
        totalCount
      }
    }
  }
`);

const CAMPAIGN_ROW = graphql(`
  fragment CampaignRow on CampaignRow {
    id
    phoneNumber
    inputData
    call { id status lastCallAttempt { id result startedAt } }
  }
`);

/** One upstream page has 50 rows. */
const PAGE_SIZE = 50;

export function CampaignPage() {
  const { id = '' } = useParams();
  const { data, loading, error, refetch } = useQuery(CAMPAIGN, {
    variables: { id },
    errorPolicy: 'all',
    notifyOnNetworkStatusChange: true,
  });
  useSubscription(CAMPAIGN_UPDATES, { variables: { id } });
  const campaign = data?.campaign;
  const name = campaign?.name ?? 'Campaign';
  if (data && !campaign && !error)
    return (
      <Page title="Campaign not found">
        <Empty>It does not exist, or it belongs to another organization.</Empty>
      </Page>
    );
  return (
    <Page title={name}>
      <StaleNotice operationName="CampaignUpdates" />
      {error && <ProblemNotice error={error} onRetry={() => void refetch()} />}
      {!campaign && loading && <Skeleton lines={2} />}
      {campaign && (
        <div className="facts" aria-live="polite">
          <CampaignStatus campaign={campaign} />
          <Progress
            name={name}
            done={campaign.completed?.totalCount}
            total={campaign.all?.totalCount}
          />
          <span className="small">{campaign.assistant?.name ?? 'No assistant'}</span>
        </div>
      )}
      <Rows id={id} />
    </Page>
  );
}

const RESULTS = Object.values(CampaignRowResult);

function Rows({ id }: { readonly id: string }) {
  const [result, setResult] = useState<CampaignRowResult | ''>('');
  const [search, setSearch] = useState('');
  // The list follows when the typing pauses.
  const query = useDeferredValue(search.trim());
  const { data, previousData, loading, error, refetch, fetchMore } = useQuery(ROWS, {
    variables: { id, first: PAGE_SIZE, result: result || null, query: query || null },
    errorPolicy: 'all',
    notifyOnNetworkStatusChange: true,
  });
  const rows = (data ?? previousData)?.campaign?.rows;
  return (
    <section aria-labelledby="rows">
      <h2 id="rows">People</h2>
      <search className="filters">
        <label>
          Search
          <input
            type="search"
            value={search}
            placeholder="Name, number …"
            onChange={({ target }) => setSearch(target.value)}
          />
        </label>
        <label>
          Result
          <select
            value={result}
            onChange={({ target }) => setResult(target.value as CampaignRowResult | '')}
          >
            <option value="">Any</option>
            {RESULTS.filter((value) => value !== CampaignRowResult.All).map((value) => (
              <option key={value} value={value}>
                {toWords(value)}
              </option>
            ))}
          </select>
        </label>
        <output>{rows?.totalCount != null && `${rows.totalCount} people`}</output>
      </search>
      {error && <ProblemNotice error={error} onRetry={() => void refetch()} />}
      {!rows && loading && <Skeleton />}
      {rows?.edges.length === 0 && <Empty>Nobody matches. Change the search or the filter.</Empty>}
      {rows && rows.edges.length > 0 && (
        <Table
          label="List of people"
          headings={['Person', 'Number', 'Status', 'Result', 'Call']}
          isLoading={loading}
        >
          {rows.edges.map(({ node }) => (
            <Row key={node.id} of={node} />
          ))}
        </Table>
      )}
      {rows?.pageInfo?.hasNextPage && (
        <LoadMore
          isLoading={loading}
          onMore={() => void fetchMore({ variables: { after: rows.pageInfo?.endCursor ?? null } })}
        />
      )}
    </section>
  );
}

function Row({ of }: { readonly of: FragmentType<typeof CAMPAIGN_ROW> }) {
  const { call, phoneNumber, inputData } = getFragmentData(CAMPAIGN_ROW, of);
  const attempt = call?.lastCallAttempt;
  const person = toPerson(inputData);
  return (
    <tr>
      <th scope="row">{person}</th>
      <td>{phoneNumber}</td>
      <td>{call ? <Badge of={call} field="status" value={call.status} /> : 'Not called yet'}</td>
      <td>{attempt && <Badge of={attempt} field="result" value={attempt.result} />}</td>
      <td>
        {call && (
          <Link to={`/calls/${call.id}`}>
            Open<span className="hidden"> the call of {person}</span>
          </Link>
        )}
      </td>
    </tr>
  );
}

/** The columns of a row are those of the list that was imported; most lists have a name. */
function toPerson(inputData: unknown): string {
  const columns = Object.entries((inputData ?? {}) as Record<string, string>);
  const names = columns
    .filter(([key]) => /name|firma|company/i.test(key))
    .map(([, value]) => value);
  return names.join(' ') || columns[0]?.[1] || 'Unnamed';
}
