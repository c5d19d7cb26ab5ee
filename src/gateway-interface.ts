import type { DisconnectReason, RejectedRequest } from '#http/error-response.ts';
import type { Handler } from '#http/message.ts';
import type { HandleUpgrade } from '#http/websocket/handle-upgrade.ts';

/** A running gateway, as servers and embedders use it. */
export interface Gateway extends Handler {
  /**
   * Handles a request. It opens no port: mount it where requests arrive. Its routes are `/graphql`,
   * `/health`, `/ready` and `/metrics`, below `BASE_PATH`. Rejects only when the request is aborted,
   * and with a TypeError if the argument is no `Request`.
   */
  fetch(request: Request): Promise<Response>;
  /**
   * Handles the event `upgrade` of a `node:http` server: subscriptions over a WebSocket at
   * `/graphql`. Every other upgrade gets an error response. Never rejects.
   */
  readonly handleUpgrade: HandleUpgrade;
  /**
   * From now on `/ready` responds with 503, and subscriptions are rejected. Open streams end one
   * after the other within 80 % of `DRAIN_TIMEOUT_MS`. Requests in flight go on. Resolves when the
   * last messages are sent to callback URLs, at the latest after `DRAIN_TIMEOUT_MS`. Never rejects.
   */
  drain(): Promise<void>;
  /**
   * To be called when the surrounding server rejects a request that never reaches the gateway: the
   * rejection is logged and counted like all others.
   */
  onRejected(rejected: RejectedRequest): void;
  /** To be called when the surrounding server closes a connection. */
  onDisconnected(reason: DisconnectReason): void;
  /**
   * To be called with an unexpected error around the gateway: it is logged and counted like the
   * gateway's own.
   */
  onUnexpectedError(error: unknown): void;
  /** Closes the connections to the upstream and to Redis. */
  dispose(): Promise<void>;
}
