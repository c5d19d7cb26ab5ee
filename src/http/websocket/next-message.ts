const MESSAGE_END = Buffer.from('}');

/** The beginning of the `next` messages of a subscription. */
export function toMessageStart(id: string): Buffer {
  return Buffer.from(`{"id":${JSON.stringify(id)},"type":"next","payload":`);
}

/** A `next` message. The payload is neither parsed nor serialized again. */
export function toNextMessage(start: Uint8Array, payload: Uint8Array): Buffer {
  return Buffer.concat([start, payload, MESSAGE_END]);
}
