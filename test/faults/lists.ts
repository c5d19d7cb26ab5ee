import type { FaultyResponder, UpstreamExchange } from '../support/faulty-upstream.ts';
import { respondNormally } from '../support/faulty-upstream.ts';
import { type FaultExpectation, type FaultGroup, responseFault, responseFaults } from './fault.ts';
import { body, hang, json, status } from './faulty-responses.ts';

type Items = readonly unknown[];

/** The first hundred attempts: two pages of fifty. */
function expectation(requests: number, more: Partial<FaultExpectation> = {}): FaultExpectation {
  return { outcome: 'value', subject: 'attempts', requests, ...more };
}

/** The list of attempts, or a page of it, is wrong. */
export const lists: FaultGroup = {
  title: 'Lists',
  faults: [
    responseFault(
      'serves a page with fewer items than requested in the middle of the list',
      onPage(1, (calls) => calls.slice(0, 30)),
      expectation(4, {
        attempts: (ids) => [...ids.slice(0, 30), ...ids.slice(50, 120)],
        remark: 'the served items in their order, filled up with later items',
      }),
    ),
    responseFault(
      'serves one item twice on a page, and another not at all',
      onPage(1, (calls) => [calls[0], ...calls.slice(0, 49)]),
      expectation(3, {
        attempts: (ids) => [...ids.slice(0, 49), ...ids.slice(50, 101)],
        remark: 'each item once',
      }),
    ),
    responseFault(
      'moves items between pages during every read',
      movingList(),
      expectation(9, { remark: 'each item once' }),
    ),
    responseFault(
      'serves its first page for every page number',
      samePage(),
      expectation(3, {
        attempts: (ids) => ids.slice(0, 50),
        remark: 'the list ends at the repeated page',
      }),
    ),
    responseFault(
      'serves items that are not objects or have no id',
      onPage(1, (calls) => calls.with(3, null).with(7, 'x').with(11, 7).with(13, []).with(17, {})),
      expectation(3, {
        attempts: (ids) => ids.slice(0, 105).filter((_, at) => ![3, 7, 11, 13, 17].includes(at)),
        drift: ['dropped CallAttemptConnection.nodes'],
        remark: 'these items are dropped',
      }),
    ),
    responseFault(
      'rejects the second page (400)',
      onlyPage(2, status(400)),
      expectation(2, {
        attempts: (ids) => ids.slice(0, 50),
        remark: 'a 400 beyond the first page is the end of the list',
      }),
    ),
    responseFault('fails on the second page', onlyPage(2, status(500)), {
      ...expectation(4),
      outcome: { code: 'UPSTREAM_UNAVAILABLE' },
      bound: 'retry delays',
    }),
    responseFault('does not respond to the second page', onlyPage(2, hang), {
      ...expectation(2),
      outcome: { code: 'UPSTREAM_TIMEOUT' },
      bound: 'REVOX_TIMEOUT_MS',
    }),
    responseFaults(
      'responds with another list than documented:',
      {
        'a missing list': body('{}'),
        null: body('{"calls":null}'),
        'an object': body('{"calls":{"0":{"id":"x"}}}'),
        'a bare array': json(({ calls }) => calls),
      },
      { ...expectation(1), outcome: { code: 'UPSTREAM_INVALID_RESPONSE' } },
    ),
  ],
};

function onPage(page: number, change: (calls: Items) => Items): FaultyResponder {
  return json((pageBody, exchange) =>
    pageOf(exchange) === page ? { calls: change(pageBody.calls) } : pageBody,
  );
}

function onlyPage(page: number, misbehave: FaultyResponder): FaultyResponder {
  return (exchange) =>
    pageOf(exchange) === page ? misbehave(exchange) : respondNormally(exchange);
}

/** Five items are pushed from each page to the next one while that is on its way. */
function movingList(): FaultyResponder {
  let before: Items = [];
  return json(({ calls }: { calls: Items }, exchange) => {
    const pushed = pageOf(exchange) === 1 ? [] : before.slice(-5);
    before = calls;
    return { calls: [...pushed, ...calls].slice(0, 50) };
  });
}

function samePage(): FaultyResponder {
  let first: unknown;
  return json((pageBody) => {
    first ??= pageBody;
    return first;
  });
}

function pageOf({ request }: UpstreamExchange): number {
  return Number(new URL(request.url ?? '', 'http://upstream.test').searchParams.get('page'));
}
