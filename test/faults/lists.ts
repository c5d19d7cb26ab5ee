import type { Exchange, Misbehave } from '../kit/adverse-upstream.ts';
import { answerHonestly } from '../kit/adverse-upstream.ts';
import { answering, answeringEach, type FaultGroup, type Promised } from './fault.ts';
import { body, hang, json, status } from './misbehaviours.ts';

type Items = readonly unknown[];

/** The first hundred attempts: two pages of fifty. */
function promised(requests: number, more: Partial<Promised> = {}): Promised {
  return { says: 'its value', subject: 'attempts', requests, ...more };
}

/** The list of attempts, or a page of it, is not what it should be. */
export const lists: FaultGroup = {
  title: 'Lists',
  faults: [
    answering(
      'serves a page with fewer items than asked for in the middle of the list',
      onPage(1, (calls) => calls.slice(0, 30)),
      promised(4, {
        attempts: (ids) => [...ids.slice(0, 30), ...ids.slice(50, 120)],
        remark: 'what is served, in its order, and more of it from further down',
      }),
    ),
    answering(
      'serves an item twice on a page, and so one not at all',
      onPage(1, (calls) => [calls[0], ...calls.slice(0, 49)]),
      promised(3, { attempts: (ids) => [...ids.slice(0, 49), ...ids.slice(50, 101)], remark: 'each item once' }),
    ),
    answering('moves while it is read, each time', movingList(), promised(9, { remark: 'each item once' })),
    answering(
      'serves its first page whatever is asked for',
      samePage(),
      promised(3, { attempts: (ids) => ids.slice(0, 50), remark: 'the list ends where it repeats itself' }),
    ),
    answering(
      'serves things that are no objects, or without an id, among the items',
      onPage(1, (calls) => calls.with(3, null).with(7, 'x').with(11, 7).with(13, []).with(17, {})),
      promised(3, {
        attempts: (ids) => ids.slice(0, 105).filter((_, at) => ![3, 7, 11, 13, 17].includes(at)),
        odd: ['dropped CallAttemptConnection.nodes'],
        remark: 'they are left out',
      }),
    ),
    answering(
      'refuses the second page',
      only(2, status(400)),
      promised(2, { attempts: (ids) => ids.slice(0, 50), remark: 'a 400 beyond the first page is the end' }),
    ),
    answering('fails on the second page', only(2, status(500)), {
      ...promised(4),
      says: { code: 'UPSTREAM_UNAVAILABLE' },
      within: 'after its retries',
    }),
    answering('hangs on the second page', only(2, hang), {
      ...promised(2),
      says: { code: 'UPSTREAM_TIMEOUT' },
      within: 'REVOX_TIMEOUT_MS',
    }),
    answeringEach(
      'answers with another list than promised:',
      {
        none: body('{}'),
        null: body('{"calls":null}'),
        'an object': body('{"calls":{"0":{"id":"x"}}}'),
        'a bare one': json(({ calls }) => calls),
      },
      { ...promised(1), says: { code: 'UPSTREAM_INVALID_RESPONSE' } },
    ),
  ],
};

function onPage(page: number, change: (calls: Items) => Items): Misbehave {
  return json((answer, exchange) => (pageOf(exchange) === page ? { calls: change(answer.calls) } : answer));
}

function only(page: number, misbehave: Misbehave): Misbehave {
  return (exchange) => (pageOf(exchange) === page ? misbehave(exchange) : answerHonestly(exchange));
}

/** Five items are pushed from each page to the next one while that is on its way. */
function movingList(): Misbehave {
  let before: Items = [];
  return json(({ calls }: { calls: Items }, exchange) => {
    const pushed = pageOf(exchange) === 1 ? [] : before.slice(-5);
    before = calls;
    return { calls: [...pushed, ...calls].slice(0, 50) };
  });
}

function samePage(): Misbehave {
  let first: unknown;
  return json((answer) => {
    first ??= answer;
    return first;
  });
}

function pageOf({ request }: Exchange): number {
  return Number(new URL(request.url ?? '', 'http://upstream.test').searchParams.get('page'));
}
