import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parse } from 'graphql';
import { Parser } from 'graphql/language/parser.js';
import { expect, test, vi } from 'vitest';
import { createParserCache } from '#http/documents/parser-cache.ts';
import { createTestGateway, KEY_B } from '../support/test-gateway.ts';

const MEBIBYTE = 2 ** 20;

test('the parser cache returns a cached document', () => {
  const cache = createParserCache();
  const document = parse('{ a }');
  cache.set('a', '{ a }', document);
  expect(cache.get('{ a }')).toBe(document);
});

test('the parser cache holds at most 32 MiB, estimated at 500 bytes per token and 50 per character', () => {
  const cache = createParserCache();
  const texts = Array.from({ length: 50 }, (_, n) => `{ b${n} ${'a '.repeat(4_000)}}`);
  for (const text of texts) cache.set('a', text, parse(text));
  const eachTakes = 4_003 * 500 + 8_007 * 50;
  expect(texts.filter((text) => cache.peek(text) !== undefined)).toHaveLength(
    Math.floor((32 * MEBIBYTE) / eachTakes),
  );
  expect(cache.peek(texts.at(-1)!)).toBeDefined();
});

test('a document that is long because of comments evicts no other document', () => {
  const cache = createParserCache();
  const short = '{ a }';
  const long = `{ a ${'#\n'.repeat(MEBIBYTE / 2)}}`;
  for (const text of [short, long]) cache.set('a', text, parse(text));
  expect([cache.peek(short) !== undefined, cache.peek(long) !== undefined]).toEqual([true, false]);
});

test('an owner with many documents evicts its own documents and none of another owner', () => {
  const cache = createParserCache();
  cache.set('tenant', '{ tenant }', parse('{ tenant }'));
  for (let n = 0; n < 50; n += 1) {
    const text = `{ b${n} ${'a '.repeat(4_000)}}`;
    cache.set('flood', text, parse(text));
  }
  expect(cache.peek('{ tenant }')).toBeDefined();
});

test('a hundred invented API keys with a large document each do not evict the parsed document of a tenant', async () => {
  const gateway = createTestGateway({ settings: { REVOX_API_KEY: '' } });
  const asTenant = { authorization: `Bearer ${KEY_B}` };
  const large = (selection: string) => `{ ${selection} } #${'x'.repeat(40_000)}`;
  const text = large('assistants(first: 1) { nodes { id } }');
  await gateway.execute(text, undefined, asTenant);
  expect(gateway.traffic()).toEqual(['GET /assistants']);
  for (let n = 0; n < 100; n += 1) {
    await gateway.execute(large(`a${n}: __typename`), undefined, {
      authorization: `Bearer sk_${n}`,
    });
  }
  const parser = vi.spyOn(Parser.prototype, 'parseDocument');
  const result = await gateway.execute(text, undefined, asTenant);
  expect(result.data.assistants.nodes).toHaveLength(1);
  expect(parser).not.toHaveBeenCalled();
  await gateway.execute('{ __typename more: __typename }', undefined, asTenant);
  expect(parser).toHaveBeenCalledOnce();
  parser.mockRestore();
  expect(gateway.traffic()).toEqual([]);
});

test('invalid documents are not kept in memory', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const gateway = createTestGateway();
  await gateway.execute('{ __typename }');
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  for (let n = 0; n < 60; n += 1) await gateway.execute(`{ ${'... { b } '.repeat(1_240)} b${n} }`);
  collectGarbage();
  // Sixty of these documents would take 100 MiB.
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(48 * MEBIBYTE);
  expect(gateway.traffic()).toEqual([]);
});
