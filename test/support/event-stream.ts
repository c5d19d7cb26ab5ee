import type { GraphQLResult } from './test-gateway.ts';

/** What an event stream or a multipart stream has sent. */
export interface EventStream {
  readonly status: number;
  readonly headers: Headers;
  /** The body of a response that is no stream. */
  readonly body: string | undefined;
  /** Every `next` event; of a multipart stream, every payload. */
  readonly events: StreamEvent[];
  /** Every part of a multipart stream, as JSON. */
  readonly parts: string[];
  /** The text as it was sent. */
  text(): string;
  /** Whether `complete` was sent; for a multipart stream, the last boundary. */
  isComplete(): boolean;
  /** Whether the response has ended, or its connection is closed. */
  isEnded(): boolean;
  /** The error of a connection that was closed. */
  error(): unknown;
  /** The client leaves. */
  leave(): void;
}

export interface StreamEvent extends GraphQLResult {
  readonly id: string | undefined;
}

/** Reads an event stream for as long as it lasts. */
export async function readEventStream(
  response: Response,
  abort: AbortController,
): Promise<EventStream> {
  const { status, headers } = response;
  const type = headers.get('content-type') ?? '';
  const isMultipart = /^multipart\/mixed;.*subscriptionSpec/.test(type);
  const isStream = isMultipart || type.startsWith('text/event-stream');
  const separator = isMultipart ? '\r\n--graphql' : '\n\n';
  const events: StreamEvent[] = [];
  const parts: string[] = [];
  let text = '';
  let parsed = 0;
  let isEnded = false;
  let error: unknown;
  const stream: EventStream = {
    status,
    headers,
    body: isStream ? undefined : await response.text(),
    events,
    parts,
    text: () => text,
    isComplete: () =>
      isMultipart ? text.endsWith('\r\n--graphql--\r\n') : /^event: ?complete$/m.test(text),
    isEnded: () => isEnded,
    error: () => error,
    leave: () => abort.abort(),
  };
  if (isStream && response.body) void read(response.body);
  return stream;

  async function read(body: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    const reader = body.getReader();
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        const chunk = decoder.decode(value, { stream: true });
        // Some routers end the lines of an event stream with CRLF.
        text += isMultipart ? chunk : chunk.replaceAll('\r', '');
        for (
          let end = text.indexOf(separator, parsed);
          end !== -1;
          end = text.indexOf(separator, parsed)
        ) {
          parse(text.slice(parsed, end));
          parsed = end + separator.length;
        }
      }
    } catch (caught) {
      error = caught;
    }
    isEnded = true;
  }

  function parse(frame: string): void {
    if (isMultipart) parsePart(frame);
    else parseEvent(frame);
  }

  function parsePart(part: string): void {
    if (part === '') return;
    const [head, json = ''] = part.split('\r\n\r\n');
    if (head !== '\r\ncontent-type: application/json') throw new Error(`A part begins: ${head}`);
    parts.push(json);
    const { payload } = JSON.parse(json);
    if (payload) events.push(payload);
  }

  function parseEvent(frame: string): void {
    const lines = frame.split('\n');
    // The space after the colon is optional.
    const fieldOf = (name: string) =>
      lines
        .find((line) => line.startsWith(`${name}:`))
        ?.slice(name.length + 1)
        .replace(/^ /, '');
    if (fieldOf('event') !== 'next') return;
    events.push({ ...JSON.parse(fieldOf('data') ?? ''), id: fieldOf('id') });
  }
}
