import type { CancellationSignal } from '#cancellation.ts';
import type { Framing } from '#live/live-stream.ts';
import type { LiveSubscriptions, StreamRequest } from '#live/subscriptions.ts';

export interface CallbackStreamRequest {
  /** `extensions.subscription` of the request. */
  readonly extension: object;
  readonly stream: StreamRequest;
  /** Aborts when the router disconnects before the response. */
  readonly signal: CancellationSignal;
}

/** The subscriptions whose events are sent to a callback URL. */
export interface Callbacks {
  /**
   * Opens a subscription after the router has confirmed it. No upstream request is sent before.
   * @returns the response to the router
   * @throws GatewayError for a callback that is not permitted or not confirmed, and as
   *   `LiveSubscriptions.open` does
   */
  open(
    subscriptions: Pick<LiveSubscriptions, 'reserve' | 'open'>,
    request: CallbackStreamRequest,
  ): Promise<Response>;
}

const NOTHING = new Uint8Array();

/**
 * Apollo's HTTP callback protocol, version 1.0: the part of a message that all subscribers share.
 * Their own part comes before it, see `toMessageStart`. Checks show that the stream is alive, at the
 * interval that the router asks for.
 */
export const callbackFraming: Framing = {
  transport: 'callback',
  opening: NOTHING,
  keepAlive: NOTHING,
  toFrame: (json) => Buffer.from(`"action":"next","payload":${json}}`),
  toEnding({ json }) {
    const errors = json === undefined ? '' : `,"errors":${toErrors(json)}`;
    return Buffer.from(`"action":"complete"${errors}}`);
  },
};

export const CHECK = Buffer.from('"action":"check"}');

/** The part of a message that distinguishes a subscription from all others. */
export function toMessageStart(id: string, verifier: string): Buffer {
  const start = JSON.stringify({ kind: 'subscription', id, verifier });
  return Buffer.from(`${start.slice(0, -1)},`);
}

/** The errors of an execution result, as JSON. */
function toErrors(json: string): string {
  const { errors } = JSON.parse(json) as { readonly errors: unknown };
  return JSON.stringify(errors);
}
