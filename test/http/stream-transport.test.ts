import { expect, test } from 'vitest';
import { toStreamTransport } from '#http/headers/media-type.ts';

test.each([
  [null, 'sse'],
  ['text/event-stream', 'sse'],
  ['*/*', 'sse'],
  ['text/*', 'sse'],
  ['application/graphql-response+json, application/json, text/event-stream;q=0.1', 'sse'],
  ['text/event-stream, multipart/mixed', 'sse'],
  ['multipart/mixed, text/event-stream', 'sse'],
  ['multipart/mixed;deferSpec=20220824, text/event-stream', 'sse'],
  ['multipart/mixed;subscriptionSpec=2.0, text/event-stream', 'sse'],
  ['multipart/mixed;subscriptionSpec=1.0;q=0, text/event-stream', 'sse'],
  ['text/event-stream, multipart/mixed;subscriptionSpec=1.0', 'sse'],
  ['text/even-stream,application/json;q=0.9, text/event-stream', 'sse'],
  ['multipart/mixed;subscriptionSpec=1.0, text/event-stream', 'multipart'],
  ['multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json', 'multipart'],
  ['multipart/mixed;boundary="graphql";subscriptionSpec="1.0"', 'multipart'],
  ['Multipart/Mixed; boundary=graphql; SUBSCRIPTIONSPEC=1.0', 'multipart'],
  ['multipart/mixed; subscriptionSpec=1.0; q=0.1, application/json', 'multipart'],
  ['*/*, multipart/mixed;subscriptionSpec=1.0', 'multipart'],
  ['text/event-stream;q=0, multipart/mixed;subscriptionSpec=1.0', 'multipart'],
  ['application/json', undefined],
  ['multipart/mixed', undefined],
  ['multipart/mixed;subscriptionSpec=2.0', undefined],
  ['multipart/mixed;subscriptionSpec=1.01', undefined],
  ['multipart/mixed;boundary=graphql;deferSpec=20220824, application/json', undefined],
  ['multipart/*;subscriptionSpec=1.0', undefined],
  ['text/event-stream;q=0', undefined],
  ['text/event-stream;q=0, */*', undefined],
])('a subscription with Accept: %s is sent by %s', (accept, transport) => {
  expect(toStreamTransport(accept)).toBe(transport);
});
