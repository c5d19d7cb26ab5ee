import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UserInputError } from '#errors/gateway-error.ts';
import { type ArrayFormat, toPathSegment, toQueryString } from '#rest/url.ts';

describe('URL path segment', () => {
  test.each([
    ['a-b_c.d~e', 'a-b_c.d~e'],
    ['a/b', 'a%2Fb'],
    ['../call', '..%2Fcall'],
    ['%2e%2e', '%252e%252e'],
    ['.%2e', '.%252e'],
    ['...', '...'],
    ['?page=1', '%3Fpage%3D1'],
    ['#top', '%23top'],
    ['a b', 'a%20b'],
    ['\\..\\', '%5C..%5C'],
    ['é', '%C3%A9'],
    ['😀', '%F0%9F%98%80'],
    ['\u0000', '%00'],
    ['\r\nHost: elsewhere', '%0D%0AHost%3A%20elsewhere'],
  ])('the id %j is encoded as the path segment %s', (id, segment) => {
    expect(toPathSegment(id)).toBe(segment);
  });

  test.each(['', '.', '..', '\ud800', '\udfff', 'a\udc00b'])(
    'the id %j cannot be a path segment and is rejected',
    (id) => {
      expect(() => toPathSegment(id)).toThrow(UserInputError);
    },
  );

  test('an encoded id never reaches another endpoint: it is one segment that decodes to the id, or is rejected', () => {
    const ids = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string(),
      fc.stringMatching(/^[.%2eEfF/\\?#;\s]{0,12}$/),
      fc.constant('\udead'),
    );
    fc.assert(
      fc.property(ids, (id) => {
        let segment: string;
        try {
          segment = toPathSegment(id);
        } catch (error) {
          expect(error).toBeInstanceOf(UserInputError);
          return;
        }
        const { pathname, search, hash, host } = new URL(
          `http://revox.test/api/call/${segment}/rows`,
        );
        expect({ search, hash, host }).toEqual({ search: '', hash: '', host: 'revox.test' });
        expect(pathname).toBe(`/api/call/${segment}/rows`);
        expect(decodeURIComponent(pathname.split('/')[3] ?? '')).toBe(id);
        expect(pathname.split('/')).toHaveLength(5);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('URL query string', () => {
  test.each<[ArrayFormat, string]>([
    ['comma', '?page=0&statuses=completed%2Cerrored'],
    ['repeat', '?page=0&statuses=completed&statuses=errored'],
    ['brackets', '?page=0&statuses%5B%5D=completed&statuses%5B%5D=errored'],
  ])('the query string contains a list in the format %s', (format, expected) => {
    expect(
      toQueryString({ page: 0, absent: undefined, statuses: ['completed', 'errored'] }, format),
    ).toBe(expected);
  });

  test('the query string without parameters is empty', () => {
    expect(toQueryString({ query: undefined }, 'comma')).toBe('');
  });

  test('a value in the query string never becomes another parameter', () => {
    fc.assert(
      fc.property(fc.string(), (query) => {
        const written = new URLSearchParams(toQueryString({ page: 1, query }, 'comma'));
        expect([...written]).toEqual([
          ['page', '1'],
          ['query', query],
        ]);
      }),
    );
  });
});
