import type { EventStream } from './event-stream.ts';
import { type CallState, createLiveGateway, type LiveGateway } from './live-gateway.ts';
import { KEY_A, type TestGateway, type TestGatewayOptions } from './test-gateway.ts';

export const WEBHOOK_SECRET = 'webhook-secret-0123456789-abcdef';
export const NEXT_WEBHOOK_SECRET = 'webhook-secret-9876543210-fedcba';

export const CALL_UPDATED = 'subscription ($id: ID!) { callUpdated(id: $id) { status } }';
/** Longer than a pass of the scheduler, and shorter than every interval. */
export const MOMENT = 50;

/** A gateway that accepts webhooks with `WEBHOOK_SECRET`, with a clock that the test owns. */
export function createWebhookGateway({
  settings,
  ...options
}: TestGatewayOptions = {}): LiveGateway {
  return createLiveGateway({
    settings: { WEBHOOK_SECRETS: WEBHOOK_SECRET, ...settings },
    ...options,
  });
}

/** A call that is polled every 30 s or less often, because it has no moment. */
export const toScheduledCall = (id: string) =>
  ({ id, status: 'scheduled', scheduled_at: null }) as const;

/** The statuses that a subscriber of `CALL_UPDATED` has received. */
export const statusesOf = (stream: EventStream) =>
  stream.events.map(({ data }) => data?.callUpdated.status as string);

/** The webhook that Revox sends when a call is over, as far as it is known. */
export function toWebhook(orderId: string): Record<string, unknown> {
  return {
    call_order_id: orderId,
    call_id: `attempt-of-${orderId}`,
    status: 'completed',
    result: 'human',
    annotation: 'The contact wants to be called again.',
    transcript: 'agent: Good morning. user: Good morning.',
    recording_url: 'https://recordings.test/1',
    started_at: '2024-01-01T12:00:00Z',
    ended_at: '2024-01-01T12:02:00Z',
    calls_count: 1,
  };
}

export function postWebhook(
  gateway: Pick<TestGateway, 'fetch'>,
  body: unknown,
  { secret = WEBHOOK_SECRET, ...init }: RequestInit & { secret?: string } = {},
): Promise<Response> {
  return gateway.fetch(`/webhooks/revox/${secret}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...init,
  });
}

/** A call whose newest attempt has this status. */
export function toCallInProgress(
  { sandbox }: Pick<TestGateway, 'sandbox'>,
  id: string,
  status: 'ringing' | 'ongoing' | 'completed',
  apiKey: string = KEY_A,
): CallState {
  const { attempts, calls } = sandbox.control.data(apiKey);
  const [template] = attempts;
  const assistant = calls.find((call) => call.assistant)?.assistant ?? null;
  if (!template) throw new Error('The sandbox has no attempts.');
  const isOver = status === 'completed';
  const attempt = {
    ...template,
    id: `attempt-of-${id}`,
    status,
    ended_at: isOver ? template.ended_at : null,
  };
  return {
    id,
    status: isOver ? 'completed' : 'calling',
    assistant,
    campaign: null,
    calls_count: 1,
    call_attempts: [attempt],
    last_call_attempt: attempt,
  };
}
