import { type OperationDefinitionNode, parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import { createRequestCache } from '#http/warm-operations/request-cache.ts';

const OPERATION = parse('query Q($ids: [ID!]!, $first: Int) { calls(ids: $ids) { id } }')
  .definitions[0] as OperationDefinitionNode;
const IDS = Array.from({ length: 100 }, (_, index) => `call-${index}`);

function toText(variables: object): string {
  return JSON.stringify({ query: 'query Q…', variables });
}

/** Returns a function that computes the response cache key of a request. */
function createScene() {
  const memo = createRequestCache();
  return (
    text: string,
    documentNumber = 1,
    type: 'application/json' | 'application/graphql-response+json' = 'application/json',
  ) => {
    const request = memo.parse(text);
    const variables = request.params?.variables ?? undefined;
    return memo.toResponseKeys({ documentNumber, operation: OPERATION, variables }, request)[type];
  };
}

describe('Response cache key', () => {
  test.each([
    ['a short key', { ids: ['a'], first: 1 }, { first: 1, ids: ['a'] }],
    ['a long key', { ids: IDS, first: 1 }, { first: 1, ids: IDS }],
  ])(
    'the key is the same for request texts that differ in whitespace and in the order of variables: %s',
    (_, one, other) => {
      const keyOf = createScene();
      expect(keyOf(toText(one))).toBe(keyOf(toText(other).replace('{', '{  ')));
    },
  );

  test.each([
    ['another value', { ids: ['a'] }, { ids: ['b'] }],
    ['another last value of a long list', { ids: IDS }, { ids: [...IDS.slice(0, -1), 'other'] }],
    ['null and an absent variable', { ids: IDS, first: null }, { ids: IDS }],
  ])('the key differs for %s', (_, one, other) => {
    const keyOf = createScene();
    expect(keyOf(toText(one))).not.toBe(keyOf(toText(other)));
  });

  test('the key differs by media type and by document', () => {
    const keyOf = createScene();
    const text = toText({ ids: IDS });
    const keys = [
      keyOf(text),
      keyOf(text, 1, 'application/graphql-response+json'),
      keyOf(text, 2),
      keyOf(text, 3),
    ];
    expect(new Set(keys).size).toBe(4);
    expect(keyOf(text, 1)).toBe(keys[0]);
  });

  test('the key has a bounded length for any variables', () => {
    const keyOf = createScene();
    expect(keyOf(toText({ ids: IDS }))?.length).toBeLessThan(200);
  });

  test('the key is undefined for variables that are nested too deeply', () => {
    const deep = JSON.parse(`${'['.repeat(20)}${']'.repeat(20)}`);
    expect(createScene()(toText({ ids: deep }))).toBeUndefined();
  });
});

describe('Request cache', () => {
  test('a request text is parsed once', () => {
    const memo = createRequestCache();
    expect(memo.parse(toText({ ids: IDS }))).toBe(memo.parse(toText({ ids: IDS })));
  });

  test.each([
    ...['', '{', '[]', '"text"', '7', 'null', 'true'],
    ...[
      { query: 7 },
      { query: true },
      { query: ['{a}'] },
      { query: {} },
      { variables: [] },
      { variables: 'x' },
      { variables: 7 },
      { variables: false },
      { operationName: 7 },
      { operationName: false },
      { operationName: ['A'] },
      { operationName: {} },
      { extensions: [] },
      { extensions: 'x' },
      { extensions: 7 },
      { extensions: true },
    ].map((params) => JSON.stringify({ query: '{a}', ...params })),
  ])('a request text that is not a plain GraphQL request has no parameters: %s', (text) => {
    expect(createRequestCache().parse(text).params).toBeUndefined();
  });

  test.each([
    {},
    { query: null, variables: null, operationName: null, extensions: null },
    { query: '', variables: {}, operationName: '', extensions: {} },
    { query: '{a}', variables: { a: [1] }, operationName: 'A', extensions: { a: [1] } },
    { query: '{a}', id: 7, documentId: [], onError: true },
  ])('a request text with valid parameters has these parameters: %j', (params) => {
    expect(createRequestCache().parse(JSON.stringify(params)).params).toEqual(params);
  });
});
