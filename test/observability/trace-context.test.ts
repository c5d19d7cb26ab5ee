import { describe, expect, test } from 'vitest';
import { extractTraceContext, toTraceHeaders } from '#observability/trace-context.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

const passOn = (headers: Record<string, string>) => toTraceHeaders(extractTraceContext(new Headers(headers)));

describe('A trace is passed on', () => {
  test.each([
    [`00-${TRACE}-${SPAN}-01`, `00-${TRACE}-${SPAN}-01`],
    [`00-${TRACE}-${SPAN}-00`, `00-${TRACE}-${SPAN}-00`],
    // Of the flags only one means something to this version; a later version is answered in ours.
    [`00-${TRACE}-${SPAN}-ff`, `00-${TRACE}-${SPAN}-01`],
    [`cc-${TRACE}-${SPAN}-01-what-comes-later`, `00-${TRACE}-${SPAN}-01`],
    [`  00-${TRACE}-${SPAN}-01 `, `00-${TRACE}-${SPAN}-01`],
  ])('%s as %s', (given, sent) => {
    expect(passOn({ traceparent: given })).toEqual({ traceparent: sent });
  });

  test('with its state', () => {
    const traceparent = `00-${TRACE}-${SPAN}-01`;
    expect(passOn({ traceparent, tracestate: 'vendor=abc,other=1' })).toEqual({ traceparent, tracestate: 'vendor=abc,other=1' });
  });

  test.each(['', ',', '=', 'é=1', 'a=\u0001b', 'x'.repeat(10_000), 'a=b,'.repeat(1_000)])(
    'without a state that is none: %.20j',
    (tracestate) => {
      const traceparent = `00-${TRACE}-${SPAN}-01`;
      const headers = { get: (name: string) => (name === 'traceparent' ? traceparent : tracestate) } as Headers;
      const { tracestate: sent = '', ...others } = toTraceHeaders(extractTraceContext(headers));
      expect(others).toEqual({ traceparent });
      expect(sent).toMatch(/^[\x20-\x7e]{0,512}$/);
    },
  );

  test('and nothing else is', () => {
    const traceparent = `00-${TRACE}-${SPAN}-01`;
    expect(passOn({ traceparent, baggage: 'user=anna', b3: `${TRACE}-${SPAN}-1` })).toEqual({ traceparent });
  });
});

test.each([
  '',
  '00-1',
  `00-${TRACE}-${SPAN}`,
  `00-${TRACE}-${SPAN}-01-more`,
  `ff-${TRACE}-${SPAN}-01`,
  `00-${'0'.repeat(32)}-${SPAN}-01`,
  `00-${TRACE}-${'0'.repeat(16)}-01`,
  `00-${TRACE.toUpperCase()}-${SPAN}-01`,
  `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`,
  `00-${TRACE}x-${SPAN}-01`,
  'x'.repeat(100_000),
])('What is no trace is ignored, and its state with it: %.80j', (traceparent) => {
  expect(passOn({ traceparent, tracestate: 'vendor=abc' })).toEqual({});
});
