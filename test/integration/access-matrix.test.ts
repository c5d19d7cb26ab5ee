import { describe, expect, test } from 'vitest';
import { VERSION } from '#generated/version.ts';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { createTestGateway, KEY_B } from '../support/test-gateway.ts';
import { readAccessMatrix, withTitles } from './access-matrix.ts';
import { AUTHORIZATIONS, SECRETS, SETTINGS, toAccessRow } from './access-matrix-words.ts';

const QUERY = 'query ($id: ID!) { call(id: $id) { id } }';

/** Further operations that require the same authentication. */
const PROTECTED_FIELDS: { readonly [name: string]: string } = {
  entities: '{ _entities(representations: [{ __typename: "Call", id: "x" }]) { __typename } }',
  service: '{ _service { sdl } }',
  introspection: '{ __schema { queryType { name } } }',
  typename: '{ __typename }',
};

const rows = readAccessMatrix('Mode × credential × secret');

describe('Access matrix of docs/reference/access-matrix.md', () => {
  test.each(withTitles(rows, ['settings', 'Authorization', 'Router-Authorization']))(
    '%s',
    async (_title, row) => {
      const access = await toAccessRow(row);
      const bugs: unknown[] = [];
      const sentHeaders: string[][] = [];
      const gateway = createTestGateway({
        settings: access.settings,
        gateway: {
          fetchKeys: access.fetchKeys,
          log: { info: () => {}, error: () => {}, unexpected: (error) => bugs.push(error) },
        },
        upstream: (request) => {
          sentHeaders.push([...request.headers].map(([name, value]) => `${name}: ${value}`));
          return gateway.sandbox.fetch(request);
        },
      });
      const { upstreamStatus: status } = access;
      if (status !== undefined) gateway.sandbox.control.fail(() => true, { status });
      const { richCallId, otherCallId } = {
        ...sampleIds(gateway.sandbox),
        otherCallId: gateway.sandbox.control.data(KEY_B).calls[0]!.id,
      };
      const id = row['credential sent to Revox'] === "the caller's key" ? otherCallId : richCallId;

      const headers = {
        'content-type': 'application/json',
        accept: 'application/json',
        cookie: 'session=1',
        'x-api-key': 'of-the-caller',
        ...access.headers,
      };
      const send = (query: string, variables: object = {}) =>
        gateway.fetch('/graphql', {
          method: 'POST',
          headers,
          body: JSON.stringify({ query, variables }),
        });
      const statusesOfAll = () =>
        Promise.all(
          Object.entries(PROTECTED_FIELDS).map(async ([name, query]) => [
            name,
            (await send(query)).status,
          ]),
        );
      const response = await send(QUERY, { id });
      const { data, errors = [] } = (await response.json()) as {
        data?: unknown;
        errors?: { extensions: { code: string } }[];
      };
      const challenge = response.headers.get('www-authenticate');
      const reason = /error="(\w+)"/.exec(challenge ?? '')?.[1];

      expect(
        [response.status, ...errors.map(({ extensions }) => extensions.code), reason]
          .filter(Boolean)
          .join(' '),
      ).toBe(row.response);
      expect(challenge !== null).toBe(response.status === 401 || reason !== undefined);
      if (response.status !== 200)
        expect(await statusesOfAll()).toEqual(
          Object.keys(PROTECTED_FIELDS).map((name) => [name, response.status]),
        );
      expect(data).toEqual(
        response.status !== 200 ? undefined : { call: errors.length === 0 ? { id } : null },
      );
      const bearer = access.sentAuthorization;
      expect(gateway.traffic()).toEqual(bearer === undefined ? [] : [`GET /call/${id}`]);
      expect(sentHeaders).toEqual(
        bearer === undefined
          ? []
          : [
              [
                'accept: application/json',
                `authorization: ${bearer}`,
                `user-agent: revox-graphql-gateway/${VERSION}`,
              ],
            ],
      );
      expect(bugs).toEqual([]);
    },
  );

  test('every word that this test defines occurs in the table of docs/reference/access-matrix.md', () => {
    const wordsOf = (column: string) => new Set(rows.map((row) => row[column]!));
    expect(new Set([...wordsOf('settings')].flatMap((cell) => cell.split(', ')))).toEqual(
      new Set(Object.keys(SETTINGS)),
    );
    expect(wordsOf('Authorization')).toEqual(new Set(Object.keys(AUTHORIZATIONS)));
    expect(wordsOf('Router-Authorization')).toEqual(new Set(Object.keys(SECRETS)));
  });
});
