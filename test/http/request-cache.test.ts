import { type OperationDefinitionNode, parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import { createRequestCache } from '#http/fast-path/request-cache.ts';

const OPERATION = parse('query Q($ids: [ID!]!, $first: Int) { calls(ids: $ids) { id } }')
  .definitions[0] as OperationDefinitionNode;
const IDS = Array.from({ length: 100 }, (_, index) => `call-${index}`);

function toText(variables: object): string {
  return JSON.stringify({ query: 'query Q…', variables });
}

/** The key of a request's answer in JSON. */
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

describe('The key of a kept answer', () => {
  test.each([
    ['a short key', { ids: ['a'], first: 1 }, { first: 1, ids: ['a'] }],
    ['a long key', { ids: IDS, first: 1 }, { first: 1, ids: IDS }],
  ])('is the same for texts that differ in blanks and in the order of variables: %s', (_, one, other) => {
    const keyOf = createScene();
    expect(keyOf(toText(one))).toBe(keyOf(toText(other).replace('{', '{  ')));
  });

  test.each([
    ['another value', { ids: ['a'] }, { ids: ['b'] }],
    ['another last value of a long list', { ids: IDS }, { ids: [...IDS.slice(0, -1), 'other'] }],
    ['null and an absent variable', { ids: IDS, first: null }, { ids: IDS }],
  ])('differs for %s', (_, one, other) => {
    const keyOf = createScene();
    expect(keyOf(toText(one))).not.toBe(keyOf(toText(other)));
  });

  test('differs by media type and by document', () => {
    const keyOf = createScene();
    const text = toText({ ids: IDS });
    const keys = [keyOf(text), keyOf(text, 1, 'application/graphql-response+json'), keyOf(text, 2), keyOf(text, 3)];
    expect(new Set(keys).size).toBe(4);
    expect(keyOf(text, 1)).toBe(keys[0]);
  });

  test('has a bounded length, whatever the variables are', () => {
    const keyOf = createScene();
    expect(keyOf(toText({ ids: IDS }))?.length).toBeLessThan(200);
  });

  test('is missing for variables that are nested too deep', () => {
    const deep = JSON.parse(`${'['.repeat(20)}${']'.repeat(20)}`);
    expect(createScene()(toText({ ids: deep }))).toBeUndefined();
  });
});

describe('A request text', () => {
  test('is parsed once', () => {
    const memo = createRequestCache();
    expect(memo.parse(toText({ ids: IDS }))).toBe(memo.parse(toText({ ids: IDS })));
  });

  test.each(['{', '[]', '"text"', '{"query":7}', '{"query":"{a}","other":1}'])(
    'that is not plain has no parameters: %s',
    (text) => {
      expect(createRequestCache().parse(text).params).toBeUndefined();
    },
  );
});
