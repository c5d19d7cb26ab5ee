import * as fc from 'fast-check';
import { type OperationDefinitionNode, parse } from 'graphql';
import { expect, test } from 'vitest';
import { toVariablesKey } from '#http/warm-operations/variables-key.ts';

const RUNS = Number(process.env.FUZZ_RUNS ?? 500);

const { variableDefinitions } = parse('query ($a: Int, $b: Int, $c: Int) { x }')
  .definitions[0] as OperationDefinitionNode;
const keyOf = (json: string) => toVariablesKey(variableDefinitions, JSON.parse(json));

test.each([
  ['{"a":1,"b":[{"x":1,"y":2}]}', ' { "b" : [ { "y":2, "x":1.0 } ], "a": 1 } '],
  ['{"a":"é"}', '{"a":"\\u00e9","unknown":[1,2,3]}'],
  ['{}', '{"d":{"very":["different"]}}'],
])('the variables %s and %s have the same key', (one, other) => {
  expect(keyOf(one)).toBe(keyOf(other));
});

test.each([
  ['{}', '{"a":null}'],
  ['{"a":null}', '{"a":1e400}'],
  ['{"a":1}', '{"b":1}'],
  ['{"a":1}', '{"a":"1"}'],
  ['{"a":true}', '{"a":"true"}'],
  ['{"a":[]}', '{"a":{}}'],
  ['{"a":[1,2]}', '{"a":["1,2"]}'],
  ['{"a":"1 b:2"}', '{"a":1,"b":2}'],
  ['{"a":{"__proto__":1}}', '{"a":{}}'],
])('the variables %s and %s have different keys', (one, other) => {
  expect(keyOf(one)).not.toBe(keyOf(other));
});

test('variables that are nested thousands of levels deep have no key', () => {
  expect(keyOf(`{"a":${'['.repeat(8_000)}${']'.repeat(8_000)}}`)).toBeUndefined();
  expect(keyOf(`{"a":${'{"a":'.repeat(3_000)}1${'}'.repeat(3_000)}}`)).toBeUndefined();
  expect(keyOf(`{"d":${'['.repeat(8_000)}${']'.repeat(8_000)}}`)).toBe(keyOf('{}'));
});

test('two sets of variables have the same key exactly when they are equal', () => {
  const variables = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.jsonValue({ maxDepth: 3 }));
  const shuffled = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map(shuffled);
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([name, inner]) => [name, shuffled(inner)]),
    );
  };
  const toJson = (value: unknown) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>;
  fc.assert(
    fc.property(variables, variables, (one, other) => {
      expect(
        toVariablesKey(variableDefinitions, shuffled(toJson(one)) as Record<string, unknown>),
      ).toBe(toVariablesKey(variableDefinitions, toJson(one)));
      const isEqual =
        toVariablesKey(variableDefinitions, toJson(one)) ===
        toVariablesKey(variableDefinitions, toJson(other));
      if (isEqual) expect(toJson(one)).toEqual(toJson(other));
      else expect(toJson(one)).not.toEqual(toJson(other));
    }),
    { numRuns: RUNS },
  );
});
