import type { Framing } from '#live/live-stream.ts';

const NOTHING = new Uint8Array();

/**
 * Events as the payloads of `next` messages: the id of its subscription distinguishes a message from
 * those of the other streams, so a cohort shares the payload. The socket itself sends keepalives, and
 * how a stream ends.
 */
export const webSocketFraming: Framing = {
  transport: 'websocket',
  opening: NOTHING,
  keepAlive: NOTHING,
  toFrame: (json) => Buffer.from(json),
  toEnding: () => NOTHING,
};
