import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parse } from 'graphql';
import { Parser } from 'graphql/language/parser.js';
import { expect, test, vi } from 'vitest';
import { createDocumentCache } from '#http/document-cache.ts';
import { createWorld, KEY_B } from '../kit/world.ts';

const MEBIBYTE = 2 ** 20;

test('Documents are remembered', () => {
  const cache = createDocumentCache();
  const document = parse('{ a }');
  cache.set('a', '{ a }', document);
  expect(cache.get('{ a }')).toBe(document);
});

test('All of them together take no more than 32 MiB, by 500 bytes a token and 50 a character', () => {
  const cache = createDocumentCache();
  const texts = Array.from({ length: 50 }, (_, n) => `{ b${n} ${'a '.repeat(4_000)}}`);
  for (const text of texts) cache.set('a', text, parse(text));
  const eachTakes = 4_003 * 500 + 8_007 * 50;
  expect(texts.filter((text) => cache.peek(text) !== undefined)).toHaveLength(Math.floor((32 * MEBIBYTE) / eachTakes));
  expect(cache.peek(texts.at(-1)!)).toBeDefined();
});

test('One that is long by what is no token pushes out no other', () => {
  const cache = createDocumentCache();
  const short = '{ a }';
  const long = `{ a ${'#\n'.repeat(MEBIBYTE / 2)}}`;
  for (const text of [short, long]) cache.set('a', text, parse(text));
  expect([cache.peek(short) !== undefined, cache.peek(long) !== undefined]).toEqual([true, false]);
});

test('An owner that brings many documents pushes out its own, and none of another', () => {
  const cache = createDocumentCache();
  cache.set('tenant', '{ tenant }', parse('{ tenant }'));
  for (let n = 0; n < 50; n += 1) {
    const text = `{ b${n} ${'a '.repeat(4_000)}}`;
    cache.set('flood', text, parse(text));
  }
  expect(cache.peek('{ tenant }')).toBeDefined();
});

test('A hundred invented keys with a large document each leave a tenant the parsed document of its first operation', async () => {
  const world = createWorld({ settings: { REVOX_API_KEY: '' } });
  const asTenant = { authorization: `Bearer ${KEY_B}` };
  const large = (selection: string) => `{ ${selection} } #${'x'.repeat(40_000)}`;
  const text = large('assistants(first: 1) { nodes { id } }');
  await world.ask(text, undefined, asTenant);
  expect(world.traffic()).toEqual(['GET /assistants']);
  for (let n = 0; n < 100; n += 1) {
    await world.ask(large(`a${n}: __typename`), undefined, { authorization: `Bearer sk_${n}` });
  }
  const parser = vi.spyOn(Parser.prototype, 'parseDocument');
  const answer = await world.ask(text, undefined, asTenant);
  expect(answer.data.assistants.nodes).toHaveLength(1);
  expect(parser).not.toHaveBeenCalled();
  await world.ask('{ __typename more: __typename }', undefined, asTenant);
  expect(parser).toHaveBeenCalledOnce();
  parser.mockRestore();
  expect(world.traffic()).toEqual([]);
});

test('What is not valid fills no memory, however much of it comes', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const world = createWorld();
  await world.ask('{ __typename }');
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  for (let n = 0; n < 60; n += 1) await world.ask(`{ ${'... { b } '.repeat(1_240)} b${n} }`);
  collectGarbage();
  // Sixty of these take 100 MiB.
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(48 * MEBIBYTE);
  expect(world.traffic()).toEqual([]);
});
