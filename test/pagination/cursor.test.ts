import { hash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UserInputError } from '#errors/gateway-error.ts';
import {
  type Cursor,
  decodeCursor,
  encodeCursor,
  MAX_NEIGHBOURS,
  shortHash,
} from '#pagination/cursor.ts';

const SCOPE = 'Query.callAttempts';
const DAMAGED =
  '`after` is not a cursor of this gateway, or it is damaged: pass a cursor exactly as an earlier response returned it.';
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

const neighbours = fc.array(fc.string().map(shortHash), { maxLength: MAX_NEIGHBOURS });
const anyCursor: fc.Arbitrary<Cursor> = fc.record({
  // `binary`: every code point except lone surrogates, which are not text and cannot be encoded.
  id: fc.string({ unit: 'binary' }),
  position: fc.nat({ max: 2 ** 40 }),
  preceding: neighbours,
  following: neighbours,
});

describe('Cursor', () => {
  test('a cursor decodes to what was encoded, whatever the id', () => {
    fc.assert(
      fc.property(anyCursor, fc.string(), (cursor, scope) => {
        const text = encodeCursor(cursor, scope);
        expect(text).toMatch(/^[\w-]+$/);
        expect(decodeCursor(text, scope, 'after')).toEqual(cursor);
      }),
    );
  });

  test('a cursor with one character changed, dropped or doubled is rejected', () => {
    const cursor = {
      id: 'attempt-é',
      position: 1234,
      preceding: [shortHash('p')],
      following: [shortHash('f'), shortHash('g')],
    };
    const text = encodeCursor(cursor, SCOPE);
    const damages = [...text].flatMap((character, at) => [
      ...[...ALPHABET]
        .filter((other) => other !== character)
        .map((other) => text.slice(0, at) + other + text.slice(at + 1)),
      text.slice(0, at) + text.slice(at + 1),
      text.slice(0, at) + character + text.slice(at),
    ]);
    expect(damages.length).toBeGreaterThan(4000);
    for (const damaged of damages) {
      expect(() => decodeCursor(damaged, SCOPE, 'after'), damaged).toThrow(
        new UserInputError(DAMAGED),
      );
    }
  });

  test.each([
    ['an empty text', ''],
    ['a text that is not base64url', 'a b+c/d=='],
    [
      'a cursor with padding',
      `${encodeCursor({ id: 'x', position: 0, preceding: [], following: [] }, SCOPE)}=`,
    ],
    ['a few bytes', 'AAAA'],
    ['a page number', '3'],
    ["another gateway's cursor", Buffer.from('cursor:42').toString('base64url')],
    ['a text that is not ASCII', 'é'.repeat(40)],
  ])('%s is rejected as a damaged cursor', (_, text) => {
    expect(() => decodeCursor(text, SCOPE, 'before')).toThrow(
      new UserInputError(DAMAGED.replace('after', 'before')),
    );
  });

  test('a cursor of another field, parent or filter is rejected with a message that says so', () => {
    const text = encodeCursor({ id: 'x', position: 0, preceding: [], following: [] }, SCOPE);
    expect(() => decodeCursor(text, `${SCOPE}?statuses=queued`, 'before')).toThrow(
      new UserInputError(
        '`before` belongs to another list: a cursor is valid only for the field, the parent and the filter it came from.',
      ),
    );
  });

  test('a cursor of another version is rejected with a message that says so', () => {
    const bytes = Buffer.from(
      encodeCursor({ id: 'x', position: 0, preceding: [], following: [] }, SCOPE),
      'base64url',
    );
    const body = bytes.subarray(0, -4);
    body[0] = 2;
    const text = Buffer.concat([body, hash('sha1', body, 'buffer').subarray(0, 4)]).toString(
      'base64url',
    );
    expect(() => decodeCursor(text, SCOPE, 'after')).toThrow(
      new UserInputError(
        '`after` was made by another version of this gateway: start again without it.',
      ),
    );
  });

  test('a cursor that declares more neighbours than it holds is rejected, even with a valid checksum', () => {
    const bytes = Buffer.from(
      encodeCursor({ id: 'x', position: 0, preceding: [], following: [] }, SCOPE),
      'base64url',
    );
    const body = bytes.subarray(0, -4);
    for (const counts of [0x10, 0x01, 0x44, 0x05, 0xf0]) {
      body[13] = counts;
      const text = Buffer.concat([body, hash('sha1', body, 'buffer').subarray(0, 4)]).toString(
        'base64url',
      );
      expect(() => decodeCursor(text, SCOPE, 'after')).toThrow(DAMAGED);
    }
  });

  test('a cursor with all its neighbours has about a hundred characters', () => {
    const four = ['a', 'b', 'c', 'd'].map(shortHash);
    const text = encodeCursor(
      {
        id: '3f2b8c1e-6a51-4f0e-9d57-0c1f2a3b4c5d',
        position: 99_999,
        preceding: four,
        following: four,
      },
      SCOPE,
    );
    expect(text.length).toBeLessThan(150);
  });
});
