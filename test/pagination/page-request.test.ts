import { describe, expect, test } from 'vitest';
import { UserInputError } from '#errors/gateway-error.ts';
import { maxItems, toPageRequest } from '#pagination/page-request.ts';

const nothing = { after: undefined, before: undefined };

describe('Connection arguments', () => {
  test.each([
    ['no arguments', {}, { from: 'start', size: 20, ...nothing }],
    [
      'only null arguments',
      { first: null, after: null, last: null, before: null },
      { from: 'start', size: 20, ...nothing },
    ],
    ['only after', { after: 'a' }, { from: 'start', size: 20, after: 'a', before: undefined }],
    ['only before', { before: 'b' }, { from: 'end', size: 20, after: undefined, before: 'b' }],
    [
      'only before and nulls',
      { first: null, last: null, after: null, before: 'b' },
      { from: 'end', size: 20, after: undefined, before: 'b' },
    ],
    [
      'both cursors',
      { after: 'a', before: 'b' },
      { from: 'start', size: 20, after: 'a', before: 'b' },
    ],
    ['only first', { first: 1 }, { from: 'start', size: 1, ...nothing }],
    ['the maximum of first', { first: 100 }, { from: 'start', size: 100, ...nothing }],
    ['first and a null last', { first: 7, last: null }, { from: 'start', size: 7, ...nothing }],
    [
      'first and before',
      { first: 3, before: 'b' },
      { from: 'start', size: 3, after: undefined, before: 'b' },
    ],
    ['only last', { last: 100 }, { from: 'end', size: 100, ...nothing }],
    [
      'last and after',
      { last: 3, after: 'a' },
      { from: 'end', size: 3, after: 'a', before: undefined },
    ],
    [
      'last and both cursors',
      { last: 3, after: 'a', before: 'b' },
      { from: 'end', size: 3, after: 'a', before: 'b' },
    ],
  ] as const)('toPageRequest accepts %s', (_, given, request) => {
    expect(toPageRequest(given)).toEqual(request);
  });

  test.each([
    [{ first: 0 }, '`first` is 0: it must be 1 to 100.'],
    [{ first: -1 }, '`first` is -1: it must be 1 to 100.'],
    [{ first: 101 }, '`first` is 101: it must be 1 to 100.'],
    [{ first: 1.5 }, '`first` is 1.5: it must be 1 to 100.'],
    [{ first: Number.NaN }, '`first` is NaN: it must be 1 to 100.'],
    [{ last: 0 }, '`last` is 0: it must be 1 to 100.'],
    [{ last: -100 }, '`last` is -100: it must be 1 to 100.'],
    [{ last: 101, first: null }, '`last` is 101: it must be 1 to 100.'],
    [
      { first: 1, last: 1 },
      '`first` and `last` cannot be given together: `first` pages forward, `last` backward.',
    ],
    [
      { first: 0, last: 0 },
      '`first` and `last` cannot be given together: `first` pages forward, `last` backward.',
    ],
  ])('the connection arguments %o are rejected', (given, message) => {
    expect(() => toPageRequest(given)).toThrow(new UserInputError(message));
  });
});

test.each([
  [{}, 20],
  [{ first: null, last: null, before: 'b' }, 20],
  [{ first: 7 }, 7],
  [{ first: null, last: 1 }, 1],
  [{ first: 100 }, 100],
  // `toPageRequest` rejects these values later: until then the maximum applies.
  [{ first: 0 }, 100],
  [{ last: -1 }, 100],
  [{ first: 101 }, 100],
  [{ first: Number.NaN }, 100],
  [{ first: 1, last: -1 }, 100],
] as const)('the arguments %o may return at most %i items', (given, limit) => {
  expect(maxItems(given)).toBe(limit);
});
