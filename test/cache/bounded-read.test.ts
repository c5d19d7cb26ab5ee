import { expect, test } from 'vitest';
import { boundedRead, isWrongType } from '#redis/bounded-read.ts';

test('A read of a value requests one byte more than the maximum, which a longer value fills', () => {
  const { toCommand, toValue } = boundedRead(3);
  expect(toCommand('key')).toEqual(['GETRANGE', 'key', '0', '3']);
  expect(toValue(Buffer.from('1'))?.toString()).toBe('1');
  expect(toValue(Buffer.from('123'))?.toString()).toBe('123');
  expect(toValue(Buffer.from('1234'))).toBeUndefined();
});

test.each([
  ['a missing key', Buffer.alloc(0)],
  ['a key of another type', null],
  ['no reply', undefined],
  ['a reply that is no string', ['1']],
])('A read of %s returns no value', (_name, reply) => {
  expect(boundedRead(3).toValue(reply)).toBeUndefined();
});

test('Only the error reply WRONGTYPE means that a key has another type', () => {
  const wrongType = 'WRONGTYPE Operation against a key holding the wrong kind of value';
  expect(isWrongType(new Error(wrongType))).toBe(true);
  expect(isWrongType(new Error('NOPERM No permissions to access a key'))).toBe(false);
  expect(isWrongType(undefined)).toBe(false);
});
