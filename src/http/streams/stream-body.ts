import type { CancellationSignal } from '#cancellation.ts';
import type { StreamControl, StreamSink } from '#live/live-stream.ts';

export type { StreamControl, StreamSink };

/** The body of a streamed response. */
export interface StreamBody {
  /** Starts to write to a connection. To be called once. */
  attach(sink: StreamSink): StreamControl;
}

/**
 * Key of the property of a Fetch `Response` that holds its stream: a server that has the socket
 * writes the stream without `ReadableStream`, which takes four times the memory.
 */
const STREAM = Symbol('stream');

interface AbortableRequest {
  readonly signal: CancellationSignal;
}

interface ResponseWithStream extends Response {
  [STREAM]?: StreamBody;
}

/**
 * A response with a stream, for servers that know `streamOf` and for all others.
 * @param request its signal aborts when the client disconnects
 */
export function toStreamedResponse(
  stream: StreamBody,
  headers: Readonly<Record<string, string>>,
  request: AbortableRequest,
): Response {
  const body = toReadableStream(stream, request);
  const response: ResponseWithStream = new Response(body, { headers });
  response[STREAM] = stream;
  return response;
}

/** The stream of a response. Undefined for every other response. */
export function streamOf(response: object): StreamBody | undefined {
  return (response as ResponseWithStream)[STREAM];
}

/**
 * Attaches the stream when its body is first read. The body retains the request: the signal of a
 * Fetch `Request` that was garbage-collected does not abort any more.
 */
function toReadableStream(
  stream: StreamBody,
  request: AbortableRequest,
): ReadableStream<Uint8Array> {
  let control: StreamControl | undefined;
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (control) {
          control.onDrain();
          return;
        }
        const attached = stream.attach(toSink(controller));
        control = attached;
        const onAbort = () => attached.onClose();
        if (request.signal.aborted) onAbort();
        else request.signal.addEventListener('abort', onAbort, { once: true });
      },
      cancel() {
        // A body that was never read is attached only to be closed.
        control ??= stream.attach(CLOSED_SINK);
        control.onClose();
      },
    },
    { highWaterMark: 0 },
  );
}

function toSink(controller: ReadableStreamDefaultController<Uint8Array>): StreamSink {
  return {
    write(bytes) {
      controller.enqueue(bytes);
      return (controller.desiredSize ?? 0) > 0;
    },
    end: () => controller.close(),
    destroy: () => controller.error(new Error('The client does not read the stream.')),
  };
}

/** The connection of a client that is gone. */
export const CLOSED_SINK: StreamSink = { write: () => false, end() {}, destroy() {} };
