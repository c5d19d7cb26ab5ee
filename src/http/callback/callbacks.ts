import type { Settings } from '#config/settings.ts';
import { UserInputError } from '#errors/gateway-error.ts';
import { type Callbacks, CHECK, toMessageStart } from '#http/streams/callback.ts';
import type { LiveStream } from '#live/live-stream.ts';
import { createPoster } from '#rest/transport/poster.ts';
import { type Callback, readCallback } from './callback-request.ts';
import { CallbackSink } from './callback-sink.ts';

export interface CallbacksOptions {
  readonly userAgent: string;
  readonly startTimer: StartTimer;
  /** As `startTimer`; the timer keeps the process alive. */
  readonly startOperationTimer: StartTimer;
}

type StartTimer = (ms: number, onTime: () => void) => () => void;

/** The callbacks of a gateway. */
export interface CallbackSender extends Callbacks {
  /** Resolves when the last messages of all streams are sent, or the time limit has passed. */
  drain(): Promise<void>;
  /** Aborts what is in flight. */
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 3_000;

/** Time limit of one message, from its start to the end of the response, in ms. */
const MESSAGE_TIMEOUT_MS = 5_000;

/** Maximum connections to one router. */
const MAX_CONNECTIONS = 128;

/** A check is sent after this share of the interval, because the message takes time. */
const HEARTBEAT_SHARE = 0.8;

const PROTOCOL = { 'subscription-protocol': 'callback/1.0' };

/** Undefined if there are no permitted URLs: the protocol is off. */
export function createCallbacks(
  { live: { callbackUrls: permittedUrls }, drain }: Pick<Settings, 'live' | 'drain'>,
  { userAgent, startTimer, startOperationTimer }: CallbacksOptions,
): CallbackSender | undefined {
  if (permittedUrls.length === 0) return undefined;
  const poster = createPoster({
    connectMs: CONNECT_TIMEOUT_MS,
    timeoutMs: MESSAGE_TIMEOUT_MS,
    maxConnections: MAX_CONNECTIONS,
    userAgent,
    startTimer,
  });
  const sinks = new Set<CallbackSink>();
  let onIdle = () => {};

  return {
    async open(subscriptions, { extension, stream: request, signal }) {
      const callback = readCallback(extension, request.isRouter, permittedUrls);
      const send = createSend(callback);
      const release = subscriptions.reserve(request);
      try {
        await confirm(send);
        signal.throwIfAborted();
        const stream = subscriptions.open({ ...request, release });
        startSink(stream, callback, send);
      } catch (error) {
        release();
        throw error;
      }
      return Response.json({ data: null }, { headers: PROTOCOL });
    },
    async drain() {
      if (sinks.size === 0) return;
      await new Promise<void>((resolve) => {
        const stopTimer = startOperationTimer(drain.delayMs + drain.timeoutMs, resolve);
        onIdle = () => {
          stopTimer();
          resolve();
        };
      });
    },
    async close() {
      for (const sink of sinks) sink.close();
      await poster.close();
    },
  };

  function createSend({ url, id, verifier }: Callback): (message: Uint8Array) => Promise<number> {
    const start = toMessageStart(id, verifier);
    return (message) =>
      poster.post({ ...url, headers: PROTOCOL, body: Buffer.concat([start, message]) });
  }

  function startSink(
    stream: LiveStream,
    { heartbeatMs }: Callback,
    send: (message: Uint8Array) => Promise<number>,
  ): void {
    const sink = new CallbackSink({
      send,
      checkMs: heartbeatMs * HEARTBEAT_SHARE,
      startTimer,
      onClosed() {
        sinks.delete(sink);
        if (sinks.size === 0) onIdle();
      },
    });
    sinks.add(sink);
    // The response goes first: for a router, the subscription begins with it.
    startTimer(0, () => sink.start(stream));
  }
}

/** @throws UserInputError unless the router knows the subscription */
async function confirm(send: (message: Uint8Array) => Promise<number>): Promise<void> {
  const status = await send(CHECK).catch(() => undefined);
  if (status === 204) return;
  const problem = status === undefined ? 'not reached' : `answered with ${status}`;
  throw new UserInputError(
    `The callback URL must answer a check with 204 before the subscription begins; it was ${problem}.`,
  );
}
