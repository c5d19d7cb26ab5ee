import type { EndReason } from '#live/live-events.ts';
import type { Framing } from '#live/live-stream.ts';

/**
 * The id of the last event of a complete stream. An `EventSource` reconnects even then, with this
 * id, and stops when the response is 204.
 */
export const COMPLETED_EVENT_ID = 'over';

/**
 * GraphQL over SSE in distinct connections mode. Events are named `next` and `complete` only,
 * because graphql-sse fails on any other name. `id` and `retry` are for `EventSource`.
 */
export const sseFraming: Framing = {
  transport: 'sse',
  opening: Buffer.from(':\n\n'),
  keepAlive: Buffer.from(':\n\n'),
  toFrame: (json, id) => Buffer.from(toNext(json, id)),
  toEnding({ reason, json, retryMs }, isRouter) {
    const isShown = json !== undefined && (isRouter || SHOWN_ENDINGS.has(reason));
    const next = isShown ? toNext(json) : '';
    return Buffer.from(next + (retryMs === undefined ? COMPLETE : `retry: ${retryMs}\n\n`));
  },
};

const COMPLETE = `event: complete\ndata:\nid: ${COMPLETED_EVENT_ID}\n\n`;

/**
 * Ends whose error every client gets. Of all other interruptions only routers get the error: a
 * client would show it where it could subscribe again without a word.
 */
const SHOWN_ENDINGS: ReadonlySet<EndReason> = new Set(['rejected', 'outage']);

function toNext(json: string, id?: string): string {
  return `event: next\ndata: ${json}\n${id === undefined ? '' : `id: ${id}\n`}\n`;
}

/** Proxies must neither cache, transform nor buffer the stream. */
export const SSE_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
};
