import { useQuery, useSubscription } from '@apollo/client/react';
import type { ReactNode } from 'react';
import { useParams } from 'react-router';
import { type FragmentType, getFragmentData, graphql } from '../__generated__/index.ts';
import { Badge } from '../parts/badge.tsx';
import { Empty } from '../parts/empty.tsx';
import { Page } from '../parts/page.tsx';
import { ProblemNotice } from '../parts/problem-notice.tsx';
import { Skeleton } from '../parts/skeleton.tsx';
import { StaleNotice } from '../parts/stale-notice.tsx';
import { Duration, Time } from '../parts/time.tsx';
import { Transcript } from '../parts/transcript.tsx';

const CALL = graphql(`
  query CallPage($id: ID!) {
    call(id: $id) {
      id
      status
      direction
      fromPhoneNumber
      toPhoneNumber
      scheduledAt
      campaign { id name }
      assistant { id name }
      callAttempts { id ...AttemptSection }
    }
  }
`);

/** Follows the call until its transcript and recording have arrived. Its events update the query. */
const CALL_UPDATES = graphql(`
  subscription CallUpdates($id: ID!) {
    callUpdated(id: $id, until: SETTLED) {
      id
      status
      callAttempts { id ...AttemptSection }
    }
  }
`);

const ATTEMPT_SECTION = graphql(`
  fragment AttemptSection on CallAttempt {
    id
    status
    result
    dialError
    startedAt
    answeredAt
    endedAt
    recordingUrl
    structuredOutput
    transcript { role content toolName toolArguments toolIsError }
  }
`);

export function CallPage() {
  const { id = '' } = useParams();
  const { data, loading, error, refetch } = useQuery(CALL, {
    variables: { id },
    errorPolicy: 'all',
    notifyOnNetworkStatusChange: true,
  });
  useSubscription(CALL_UPDATES, { variables: { id } });
  const call = data?.call;
  if (data && !call && !error)
    return (
      <Page title="Call not found">
        <Empty>It does not exist, or it belongs to another organization.</Empty>
      </Page>
    );
  return (
    <Page title={call?.toPhoneNumber ? `Call to ${call.toPhoneNumber}` : 'Call'}>
      <StaleNotice operationName="CallUpdates" />
      {error && <ProblemNotice error={error} onRetry={() => void refetch()} />}
      {!call && loading && <Skeleton />}
      {call && (
        <>
          <dl className="facts" aria-live="polite">
            <Fact name="Status">
              <Badge of={call} field="status" value={call.status} />
            </Fact>
            <Fact name="From">{call.fromPhoneNumber ?? '–'}</Fact>
            <Fact name="Assistant">{call.assistant?.name ?? '–'}</Fact>
            <Fact name="Campaign">{call.campaign?.name ?? '–'}</Fact>
            {call.scheduledAt && (
              <Fact name="Scheduled for">
                <Time value={call.scheduledAt} />
              </Fact>
            )}
          </dl>
          {call.callAttempts.length === 0 && <Empty>Nobody has been called yet.</Empty>}
          {call.callAttempts.map((attempt, index) => (
            <AttemptSection
              key={attempt.id}
              of={attempt}
              number={call.callAttempts.length - index}
            />
          ))}
        </>
      )}
    </Page>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

interface AttemptSectionProps {
  readonly of: FragmentType<typeof ATTEMPT_SECTION>;
  readonly number: number;
}

function AttemptSection({ of, number }: AttemptSectionProps) {
  const attempt = getFragmentData(ATTEMPT_SECTION, of);
  return (
    <section className="attempt" aria-label={`Attempt ${number}`}>
      <h2>
        Attempt {number} <Badge of={attempt} field="status" value={attempt.status} />
      </h2>
      <dl className="facts">
        <Fact name="Started">
          <Time value={attempt.startedAt} />
        </Fact>
        <Fact name="Talk">
          <Duration from={attempt.answeredAt} to={attempt.endedAt} />
        </Fact>
        <Fact name="Result">
          <Badge of={attempt} field="result" value={attempt.result} />
        </Fact>
        {attempt.dialError && (
          <Fact name="Not reached">
            <Badge of={attempt} field="dialError" value={attempt.dialError} />
          </Fact>
        )}
      </dl>
      {attempt.recordingUrl && (
        // The transcript below has the words.
        // biome-ignore lint/a11y/useMediaCaption: a telephone call has no captions
        <audio
          controls
          preload="none"
          src={attempt.recordingUrl}
          aria-label={`Recording of attempt ${number}`}
        />
      )}
      <StructuredOutput value={attempt.structuredOutput} />
      {attempt.transcript && <Transcript messages={attempt.transcript} />}
    </section>
  );
}

function StructuredOutput({ value }: { readonly value: unknown }) {
  const entries = Object.entries((value ?? {}) as Record<string, unknown>);
  if (entries.length === 0) return null;
  return (
    <table className="output">
      <caption>Structured output</caption>
      <tbody>
        {entries.map(([name, entry]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>{typeof entry === 'string' ? entry : JSON.stringify(entry)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
