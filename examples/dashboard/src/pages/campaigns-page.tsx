import { useQuery } from '@apollo/client/react';
import { Link } from 'react-router';
import { type FragmentType, getFragmentData, graphql } from '../__generated__/index.ts';
import { Badge } from '../parts/badge.tsx';
import { Empty } from '../parts/empty.tsx';
import { LoadMore } from '../parts/load-more.tsx';
import { Page } from '../parts/page.tsx';
import { ProblemNotice } from '../parts/problem-notice.tsx';
import { Progress } from '../parts/progress.tsx';
import { Skeleton } from '../parts/skeleton.tsx';
import { Time } from '../parts/time.tsx';

/**
 * The list of all campaigns costs one upstream request, and each total one more: with ten campaigns
 * 21 requests, fewer when they are cached.
 */
const CAMPAIGNS = graphql(`
  query Campaigns($first: Int!, $after: String) {
    campaigns(first: $first, after: $after) {
      edges { node { id ...CampaignCard } }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

const CAMPAIGN_CARD = graphql(`
  fragment CampaignCard on Campaign {
    id
    name
    status
    isCancelled
    createdAt
    assistant { id name }
    all: rows(first: 1) { totalCount }
    completed: rows(first: 1, statuses: [COMPLETED]) { totalCount }
  }
`);

const PAGE_SIZE = 10;
/** A subscription for each card would need more connections than a browser opens over HTTP/1.1. */
const POLL_INTERVAL_MS = 30_000;

export function CampaignsPage() {
  const { data, loading, error, refetch, fetchMore } = useQuery(CAMPAIGNS, {
    variables: { first: PAGE_SIZE },
    errorPolicy: 'all',
    notifyOnNetworkStatusChange: true,
    pollInterval: POLL_INTERVAL_MS,
    skipPollAttempt: () => document.hidden,
  });
  const list = data?.campaigns;
  return (
    <Page title="Campaigns">
      {error && <ProblemNotice error={error} onRetry={() => void refetch()} />}
      {!list && loading && <Skeleton />}
      {list?.edges.length === 0 && <Empty>There is no campaign yet.</Empty>}
      <ul className="cards">
        {list?.edges.map(({ node }) => (
          <CampaignCard key={node.id} of={node} />
        ))}
      </ul>
      {list?.pageInfo?.hasNextPage && (
        <LoadMore
          isLoading={loading}
          onMore={() => void fetchMore({ variables: { after: list.pageInfo?.endCursor ?? null } })}
        />
      )}
    </Page>
  );
}

function CampaignCard({ of }: { readonly of: FragmentType<typeof CAMPAIGN_CARD> }) {
  const campaign = getFragmentData(CAMPAIGN_CARD, of);
  const name = campaign.name ?? 'Unnamed campaign';
  return (
    <li className="card">
      <h2>
        <Link to={`/campaigns/${campaign.id}`}>{name}</Link>
      </h2>
      <CampaignStatus campaign={campaign} />
      <Progress
        name={name}
        done={campaign.completed?.totalCount}
        total={campaign.all?.totalCount}
      />
      <p className="small">
        {campaign.assistant?.name ?? 'No assistant'} ·{' '}
        <Time value={campaign.createdAt} style="date" />
      </p>
    </li>
  );
}

interface CampaignStatusProps {
  readonly campaign: {
    readonly __typename?: string;
    readonly id: string;
    readonly status?: string | null;
    readonly isCancelled?: boolean | null;
  };
}

/** A cancelled campaign keeps its last status. */
export function CampaignStatus({ campaign }: CampaignStatusProps) {
  const value = campaign.isCancelled ? 'CANCELLED' : campaign.status;
  return <Badge of={campaign} field="status" value={value} />;
}
