import { parse } from 'graphql';
import { expect, test } from 'vitest';
import { isFederationOperation } from '#http/documents/federation-operation.ts';

test.each([
  ['{ _service { sdl } }'],
  [
    'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Call { id campaign { rows { nodes { id } } } } } }',
  ],
  ['{ __typename _service { sdl } }'],
  ['{ call: _entities(representations: []) { __typename } }'],
  ['{ ... { _service { sdl } } ... on Query { ... on Query { __typename } } }'],
  ['{ ...A ...B } fragment A on Query { ...B } fragment B on Query { _service { sdl } }'],
  ['{ ...A } fragment A on Query { ...A _service { sdl } }'],
  ['query Router { _service { sdl } } query Mine { call(id: "x") { id } }', 'Router'],
  ['{ _service { sdl } } fragment Unused on Query { call(id: "x") { id } }'],
])(
  'the document %s is a federation operation',
  (text, operationName: string | undefined = undefined) => {
    expect(isFederationOperation(parse(text), operationName)).toBe(true);
  },
);

test.each([
  ['{ call(id: "x") { id } }'],
  ['{ _service { sdl } call(id: "x") { id } }'],
  ['{ _entities: call(id: "x") { id } }'],
  ['{ __schema { types { name } } }'],
  ['{ __type(name: "Call") { name } }'],
  ['{ _service { sdl } ... { call(id: "x") { id } } }'],
  ['{ _service { sdl } ... on Query @include(if: false) { call(id: "x") { id } } }'],
  ['query ($no: Boolean = false) { call(id: "x") @include(if: $no) { id } }'],
  [
    '{ ...A } fragment A on Query { ...B } fragment B on Query { _service { sdl } call(id: "x") { id } }',
  ],
  [
    '{ ...A ...C } fragment A on Query { ...B } fragment B on Query { ...A } fragment C on Query { call(id: "x") { id } }',
  ],
  ['{ ...Nowhere }'],
  ['mutation { _service { sdl } }'],
  ['subscription { _service { sdl } }'],
  ['fragment A on Query { _service { sdl } }'],
  ['query Router { _service { sdl } } query Mine { call(id: "x") { id } }', 'Mine'],
  ['query Router { _service { sdl } } query Other { _service { sdl } }'],
  ['query Router { _service { sdl } }', 'Other'],
  ['query Router { _service { sdl } }', ''],
])(
  'the document %s is not a federation operation',
  (text, operationName: string | undefined = undefined) => {
    expect(isFederationOperation(parse(text), operationName)).toBe(false);
  },
);
