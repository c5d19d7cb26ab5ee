import { graphql, useFragment, useLazyLoadQuery } from 'react-relay';
import { useParams } from 'react-router';
import type {
  callPage_attempt$data,
  callPage_attempt$key,
} from './__generated__/callPage_attempt.graphql.ts';
import type { callPage_call$key } from './__generated__/callPage_call.graphql.ts';
import type { callPageQuery } from './__generated__/callPageQuery.graphql.ts';
import { toWords } from './raw-values.ts';
import { Region } from './region.tsx';
import { Time } from './time.tsx';

export function CallPage() {
  const { id = '' } = useParams();
  return <Region key={id}>{(fetchKey) => <Call id={id} fetchKey={fetchKey} />}</Region>;
}

interface CallProps {
  readonly id: string;
  readonly fetchKey: number;
}

function Call({ id, fetchKey }: CallProps) {
  const { node } = useLazyLoadQuery<callPageQuery>(
    graphql`
      query callPageQuery($id: ID!) {
        node(id: $id) {
          ...callPage_call @alias(as: "call")
        }
      }
    `,
    { id },
    // What the store has is shown at once, and updated.
    { fetchKey, fetchPolicy: 'store-and-network' },
  );
  return node?.call ? <CallDetails of={node.call} /> : <NotFound />;
}

function NotFound() {
  return (
    <>
      <title>Call not found</title>
      <h1>Call not found</h1>
      <p>It does not exist, or it belongs to another organization.</p>
    </>
  );
}

function CallDetails({ of }: { readonly of: callPage_call$key }) {
  const call = useFragment(
    graphql`
      fragment callPage_call on Call {
        id
        status
        fromPhoneNumber
        toPhoneNumber
        campaign {
          name
        }
        callAttempts {
          id
          ...callPage_attempt
        }
      }
    `,
    of,
  );
  const title = `Call to ${call.toPhoneNumber ?? 'an unknown number'}`;
  return (
    <>
      <title>{title}</title>
      <h1>{title}</h1>
      <dl>
        <dt>Status</dt>
        <dd>{toWords(call.status, call.id, 'status')}</dd>
        <dt>From</dt>
        <dd>{call.fromPhoneNumber ?? '–'}</dd>
        <dt>Campaign</dt>
        <dd>{call.campaign?.name ?? '–'}</dd>
      </dl>
      {call.callAttempts.length === 0 && <p>There is no attempt yet.</p>}
      {call.callAttempts.map((attempt) => (
        <Attempt key={attempt.id} of={attempt} />
      ))}
    </>
  );
}

function Attempt({ of }: { readonly of: callPage_attempt$key }) {
  const attempt = useFragment(
    graphql`
      fragment callPage_attempt on CallAttempt {
        id
        status
        result
        startedAt
        transcript {
          role
          content
          toolName
        }
      }
    `,
    of,
  );
  return (
    <section aria-labelledby={attempt.id}>
      <h2 id={attempt.id}>
        Attempt of <Time value={attempt.startedAt} />
      </h2>
      <p>
        {toWords(attempt.status, attempt.id, 'status')},{' '}
        {toWords(attempt.result, attempt.id, 'result')}
      </p>
      <Transcript messages={attempt.transcript} />
    </section>
  );
}

function Transcript({ messages }: { readonly messages: callPage_attempt$data['transcript'] }) {
  if (!messages) return <p>There is no transcript.</p>;
  return (
    <dl>
      {messages.map(({ role, content, toolName }, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: messages have no id, and are only appended
        <div key={index}>
          <dt>{toolName ?? toSpeaker(role)}</dt>
          <dd>{content}</dd>
        </div>
      ))}
    </dl>
  );
}

function toSpeaker(role: string | null | undefined): string {
  if (role === 'USER') return 'Person';
  return role === 'ASSISTANT' ? 'Assistant' : 'Other';
}
