import { describe, expect, test } from 'vitest';
import { createTestGateway } from '../support/test-gateway.ts';
import { JSON_TYPE, post, RESPONSE_TYPE } from './limit-scenarios.ts';

describe('Body limit', () => {
  const settings = { MAX_BODY_BYTES: '1024' };
  const HELLO = '{"query":"{ __typename }"}';
  const statusAndJson = async (response: Response) => [response.status, await response.json()];
  const tooLarge = (bytes: string, measured: number) => [
    413,
    {
      errors: [
        {
          message: `The body has ${bytes} bytes; at most 1024 are allowed (MAX_BODY_BYTES).`,
          extensions: { code: 'OPERATION_TOO_COMPLEX', limit: 1024, measured },
        },
      ],
    },
  ];

  /** A body of several chunks, without a length, that counts how many chunks are read. */
  function parts(...texts: string[]) {
    const state = { taken: 0 };
    const stream = new ReadableStream(
      {
        pull(controller) {
          const text = texts[state.taken++];
          if (text === undefined) controller.close();
          else controller.enqueue(new TextEncoder().encode(text));
        },
      },
      { highWaterMark: 0 },
    );
    return { stream, state };
  }

  test.each([JSON_TYPE, RESPONSE_TYPE])(
    'a body with a Content-Length over the limit is rejected before it is read (%s)',
    async (accept) => {
      const gateway = createTestGateway({ settings });
      const { stream, state } = parts(HELLO);
      const response = await post(gateway, stream, { accept, 'content-length': '1025' });
      expect(await statusAndJson(response)).toEqual(tooLarge('1025', 1025));
      expect(response.headers.get('content-type')).toBe(accept);
      expect(state.taken).toBe(0);
      expect([gateway.traffic(), gateway.unexpectedErrors]).toEqual([[], []]);
    },
  );

  test('a body without a Content-Length is read only up to the limit', async () => {
    const gateway = createTestGateway({ settings });
    const fits = parts(HELLO, ' '.repeat(1024 - HELLO.length));
    expect(await statusAndJson(await post(gateway, fits.stream))).toEqual([
      200,
      { data: { __typename: 'Query' } },
    ]);
    const isOver = parts(
      HELLO,
      ' '.repeat(1024 - HELLO.length),
      ' ',
      ...Array(100).fill(' '.repeat(1000)),
    );
    expect(await statusAndJson(await post(gateway, isOver.stream))).toEqual(
      tooLarge('more than 1024', 1025),
    );
    expect(isOver.state.taken).toBeLessThan(10);
    expect([gateway.traffic(), gateway.unexpectedErrors]).toEqual([[], []]);
  });

  test.each([
    ['a warm operation', '{"query":"{ __typename }"', {}, 200],
    ['an event stream', '{"query":"{ __typename }"', { accept: 'text/event-stream' }, 200],
    ['invalid JSON', '{"query":', { accept: RESPONSE_TYPE }, 400],
  ])(
    'a body counts no more once its request is complete: %s',
    async (_, start, headers, status) => {
      // Three of these bodies at once exceed the share of an owner, half of 64 MiB.
      const bytes = 12 * 2 ** 20;
      const gateway = createTestGateway({ settings: { MAX_BODY_BYTES: String(bytes) } });
      const body = `${start}${' '.repeat(bytes - start.length - 1)}}`;
      for (let time = 1; time <= 3; time += 1) {
        const response = await post(gateway, body, { ...headers, 'content-length': String(bytes) });
        expect([time, response.status]).toEqual([time, status]);
        await response.text();
      }
      expect([gateway.traffic(), gateway.unexpectedErrors]).toEqual([[], []]);
    },
  );

  test('a body that is longer than its Content-Length is rejected at the limit', async () => {
    const gateway = createTestGateway({ settings });
    const { stream } = parts(HELLO, ' '.repeat(2000));
    const result = await statusAndJson(await post(gateway, stream, { 'content-length': '30' }));
    expect(result).toEqual(tooLarge('more than 1024', 1025));
  });
});
