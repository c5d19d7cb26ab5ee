import type { Framing } from '#live/live-stream.ts';

const DELIMITER = '\r\n--graphql';
const PART_HEADERS = '\r\ncontent-type: application/json\r\n\r\n';

/**
 * Apollo's multipart protocol for subscriptions, version 1.0. Each part ends with the delimiter of
 * the next one: a client would otherwise see an event only when the next one is sent. An empty
 * object is a heartbeat. A stream that is interrupted has an error beside `payload`, because clients
 * take each end for the completion.
 */
export const multipartFraming: Framing = {
  transport: 'multipart',
  opening: Buffer.from(DELIMITER),
  keepAlive: toPart('{}'),
  toFrame: (json) => toPart(`{"payload":${json}}`),
  toEnding({ json }) {
    const error = json === undefined ? '' : toPart(`{"payload":null,${json.slice(1)}`);
    return Buffer.from(`${error}--\r\n`);
  },
};

/** Proxies must neither cache, transform nor buffer the stream. */
export const MULTIPART_HEADERS = {
  'content-type': 'multipart/mixed;boundary="graphql";subscriptionSpec=1.0',
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
};

function toPart(json: string): Buffer {
  return Buffer.from(`${PART_HEADERS}${json}${DELIMITER}`);
}
