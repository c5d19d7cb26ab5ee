import { describe, expect, test } from 'vitest';
import { RepeatedBody } from '#rest/repeated-body.ts';
import { createScene, found } from './client-scene.ts';

const toChunks = (...texts: string[]) => texts.map((text) => Buffer.from(text));

describe('Body of a repeated request', () => {
  test('an unchanged body has the same value, however it is divided', () => {
    const body = new RepeatedBody();
    const first = body.parse(toChunks('{"call":{"id":"1"}}'));
    expect(first).toEqual({ call: { id: '1' } });
    expect(body.parse(toChunks('{"call":', '{"id":"1"}}'))).toBe(first);
  });

  test('a changed body is parsed, and its value is frozen', () => {
    const body = new RepeatedBody();
    body.parse(toChunks('{"call":{"id":"1"}}'));
    const changed = body.parse(toChunks('{"call":{"id":"2"}}'));
    expect(changed).toEqual({ call: { id: '2' } });
    expect(Object.isFrozen(changed)).toBe(true);
    expect(body.parse(toChunks('{"call":{"id":"1"}}'))).toEqual({ call: { id: '1' } });
  });

  test('a body that is not JSON fails each time, and the value before it is still known', () => {
    const body = new RepeatedBody();
    const first = body.parse(toChunks('{"call":{"id":"1"}}'));
    expect(() => body.parse(toChunks('{"call"'))).toThrow(SyntaxError);
    expect(() => body.parse(toChunks('{"call"'))).toThrow(SyntaxError);
    expect(body.parse(toChunks('{"call":{"id":"1"}}'))).toBe(first);
  });

  test('the client recognizes an unchanged response only if the context has the body before it', async () => {
    const changed = () => Response.json({ call: { id: 'other' } });
    const { send, sent } = createScene([found, found, changed, changed]);
    const repeatedBody = new RepeatedBody();
    const [first, second] = [
      await send('/call/c', { repeatedBody }),
      await send('/call/c', { repeatedBody }),
    ];
    expect(second.value).toBe(first.value);
    const third = await send('/call/c', { repeatedBody });
    expect(third.value).toEqual({ call: { id: 'other' } });
    const fourth = await send('/call/c');
    expect(fourth.value).not.toBe(third.value);
    expect(fourth.value).toEqual(third.value);
    expect(sent).toEqual(['/call/c', '/call/c', '/call/c', '/call/c']);
  });
});
