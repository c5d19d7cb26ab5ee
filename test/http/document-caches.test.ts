import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parse } from 'graphql';
import { expect, test } from 'vitest';
import { createDocumentCaches } from '#http/document-caches.ts';
import { createWorld } from '../kit/world.ts';

const MEBIBYTE = 2 ** 20;

test('Documents are remembered', () => {
  const { documentCache } = createDocumentCaches();
  const document = parse('{ a }');
  documentCache.set('{ a }', document);
  expect(documentCache.get('{ a }')).toBe(document);
});

test('All of them together take no more than 32 MiB, by 500 bytes a token and 50 a character', () => {
  const { documentCache } = createDocumentCaches();
  const texts = Array.from({ length: 50 }, (_, n) => `{ b${n} ${'a '.repeat(4_000)}}`);
  for (const text of texts) documentCache.set(text, parse(text));
  const eachTakes = 4_003 * 500 + 8_007 * 50;
  expect(texts.filter((text) => documentCache.has(text))).toHaveLength(Math.floor((32 * MEBIBYTE) / eachTakes));
  expect(documentCache.has(texts.at(-1)!)).toBe(true);
});

test('One that is long by what is no token pushes out no other', () => {
  const { documentCache } = createDocumentCaches();
  const short = '{ a }';
  const long = `{ a ${'#\n'.repeat(MEBIBYTE / 2)}}`;
  for (const text of [short, long]) documentCache.set(text, parse(text));
  expect([documentCache.has(short), documentCache.has(long)]).toEqual([true, false]);
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
