import { describe, expect, test } from 'vitest';
import { extractTraceContext, toTraceHeaders } from '#observability/trace-context.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

const passOn = (headers: Record<string, string>) =>
  toTraceHeaders(extractTraceContext(new Headers(headers)));

describe('Trace context', () => {
  test.each([
    [`00-${TRACE}-${SPAN}-01`, `00-${TRACE}-${SPAN}-01`],
    [`00-${TRACE}-${SPAN}-00`, `00-${TRACE}-${SPAN}-00`],
    // Of the flags this version defines only one; a later version is sent on in this version's
    // format.
    [`00-${TRACE}-${SPAN}-ff`, `00-${TRACE}-${SPAN}-01`],
    [`cc-${TRACE}-${SPAN}-01-what-comes-later`, `00-${TRACE}-${SPAN}-01`],
    [`  00-${TRACE}-${SPAN}-01 `, `00-${TRACE}-${SPAN}-01`],
  ])('the traceparent %s is propagated as %s', (given, sent) => {
    expect(passOn({ traceparent: given })).toEqual({ traceparent: sent });
  });

  test('a trace is propagated with its tracestate', () => {
    const traceparent = `00-${TRACE}-${SPAN}-01`;
    expect(passOn({ traceparent, tracestate: 'vendor=abc,other=1' })).toEqual({
      traceparent,
      tracestate: 'vendor=abc,other=1',
    });
  });

  test.each(['', ',', '=', 'é=1', 'a=\u0001b', 'x'.repeat(10_000), 'a=b,'.repeat(1_000)])(
    'an invalid tracestate is not propagated: %.20j',
    (tracestate) => {
      const traceparent = `00-${TRACE}-${SPAN}-01`;
      const headers = {
        get: (name: string) => (name === 'traceparent' ? traceparent : tracestate),
      } as Headers;
      const { tracestate: sent = '', ...others } = toTraceHeaders(extractTraceContext(headers));
      expect(others).toEqual({ traceparent });
      expect(sent).toMatch(/^[\x20-\x7e]{0,512}$/);
    },
  );

  test('no other header of a trace is propagated', () => {
    const traceparent = `00-${TRACE}-${SPAN}-01`;
    expect(passOn({ traceparent, baggage: 'user=anna', b3: `${TRACE}-${SPAN}-1` })).toEqual({
      traceparent,
    });
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
])('an invalid traceparent is ignored together with its tracestate: %.80j', (traceparent) => {
  expect(passOn({ traceparent, tracestate: 'vendor=abc' })).toEqual({});
});
