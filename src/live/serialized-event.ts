import { hash } from 'node:crypto';
import type { ErrorCode } from '#errors/gateway-error.ts';
import type { FetchOptions } from '#rest/upstream-request.ts';
import type { LiveEvent } from './live-source.ts';
import type { Framing } from './live-stream.ts';

/** The result of one execution. */
export interface EventResult {
  /** The execution result, as JSON. */
  readonly json: string;
  /** `data` and `errors` of the result, as JSON: equal results are not sent twice in a row. */
  readonly comparedJson: string;
  /** Where `"data"` begins in `comparedJson`. Undefined: the result has no data. */
  readonly dataAt: number | undefined;
  /** Whether the selection needed more than the object itself. */
  readonly hasMoreLookups: boolean;
  /** Upstream requests that the execution has sent. */
  readonly requests: number;
}

/**
 * Executes the operation of a subscription for one event, with the credential of its subscribers.
 * @param pageOptions how the event reads the pages of lists
 */
export type ExecuteEvent = (event: LiveEvent, pageOptions?: FetchOptions) => Promise<EventResult>;

export type SerializedResult = Pick<EventResult, 'json' | 'comparedJson' | 'dataAt'>;

/** A serialized event. All streams of a cohort send the same bytes. */
export interface SerializedEvent extends SerializedResult {
  /** Identifies the event, on every instance. Undefined: no client can go on after it. */
  readonly id: string | undefined;
  /** The event as each transport frames it. */
  readonly frames: Map<Framing, Uint8Array>;
}

const ID_LENGTH = 16;

export function toSerializedEvent({
  json,
  comparedJson,
  dataAt,
}: SerializedResult): SerializedEvent {
  return {
    json,
    comparedJson,
    dataAt,
    id: hash('sha256', comparedJson, 'base64url').slice(0, ID_LENGTH),
    frames: new Map(),
  };
}

/**
 * The same data, with a note that it has not been read again since an outage began. It still counts
 * as the same result. The data is not parsed: numbers could lose digits.
 */
export function toStaleEvent(
  { comparedJson, dataAt }: SerializedEvent,
  since: number,
  code: ErrorCode,
): SerializedEvent {
  const data = dataAt === undefined ? '"data":null' : comparedJson.slice(dataAt, -1);
  const live = JSON.stringify({ stale: true, since: new Date(since).toISOString(), code });
  const json = `{${data},"extensions":{"live":${live}}}`;
  return { ...toSerializedEvent({ json, comparedJson: json, dataAt }), comparedJson };
}

/** The same event, with a note that others before it were skipped. */
export function toSkippedEvent(event: SerializedEvent): SerializedEvent {
  return withLiveNote(event, { skipped: true });
}

/**
 * The same event, with a note that an outage is over. Without it, a client that merges the extensions
 * of events shows the outage for ever.
 */
export function toRecoveredEvent(event: SerializedEvent): SerializedEvent {
  return withLiveNote(event, { stale: false });
}

function withLiveNote(event: SerializedEvent, live: object): SerializedEvent {
  const { extensions } = JSON.parse(event.json) as { readonly extensions?: object };
  const json = JSON.stringify({ ...extensions, live });
  return {
    ...event,
    json: `${event.comparedJson.slice(0, -1)},"extensions":${json}}`,
    frames: new Map(),
  };
}

/** The bytes of an event, which all streams of a transport share. */
export function frameOf(event: SerializedEvent, framing: Framing): Uint8Array {
  let frame = event.frames.get(framing);
  if (!frame) {
    frame = framing.toFrame(event.json, event.id);
    event.frames.set(framing, frame);
  }
  return frame;
}
