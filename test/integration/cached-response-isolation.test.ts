import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { writeDocuments } from '../support/document-files.ts';
import { createPipelines } from '../support/pipelines.ts';
import { KEY_A, KEY_B } from '../support/test-gateway.ts';
import {
  createKey,
  createTokenIssuer,
  JWT_SETTINGS,
  sign,
  toFetchKeys,
  VALID_CLAIMS,
} from '../support/token-issuer.ts';
import {
  ASSISTANTS,
  CALL,
  callOf,
  expectSameOnAllPipelines,
  idsOf,
  post,
} from './pipeline-requests.ts';

describe('Response cache isolation', () => {
  test('a response cached for one API key is never served to another API key that sends the same request', async () => {
    const pipelines = createPipelines({ settings: { REVOX_API_KEY: '' } });
    const results = [];
    for (const key of [KEY_A, KEY_B, KEY_A, KEY_B, KEY_A, KEY_B]) {
      const init = post({ query: ASSISTANTS }, { authorization: `Bearer ${key}` });
      await expectSameOnAllPipelines(pipelines, init, 2);
      const { observed: now, startedOperations } = await pipelines.observe(init);
      results.push({
        text: (now.cached as { text: string }).text,
        opened: startedOperations.cached,
      });
    }
    expect(new Set(results.map(({ text }) => text)).size).toBe(2);
    expect(results[0]?.text).not.toBe(results[1]?.text);
    expect(results.at(-1)?.opened).toBe(0);
  });

  test('an invalid API key is rejected even when the response is cached for a valid key', async () => {
    const pipelines = createPipelines({ settings: { REVOX_API_KEY: '' } });
    await expectSameOnAllPipelines(
      pipelines,
      callOf(pipelines.gateways.yoga, { authorization: `Bearer ${KEY_A}` }),
      3,
    );
    for (const authorization of ['Bearer sk_made_up', `bearer  ${KEY_A}x`, `Basic ${KEY_A}`, '']) {
      await expectSameOnAllPipelines(
        pipelines,
        callOf(pipelines.gateways.yoga, { authorization }),
        2,
      );
    }
  });

  test('two token subjects that share the API key of the gateway share cached responses, and a token without the scope is rejected', async () => {
    const key = await createKey('one');
    const pipelines = createPipelines({
      settings: JWT_SETTINGS,
      gateway: { fetchKeys: toFetchKeys(createTokenIssuer(key)) },
    });
    const exp = pipelines.gateways.yoga.clock.now() / 1000 + 100;
    const tokenOf = async (claims = {}) => ({
      authorization: `Bearer ${await sign(key, { ...VALID_CLAIMS, exp, ...claims })}`,
    });
    const [one, other, narrow] = [
      await tokenOf({ sub: 'one' }),
      await tokenOf({ sub: 'other' }),
      await tokenOf({ scope: 'profile' }),
    ];
    expect(
      await expectSameOnAllPipelines(pipelines, callOf(pipelines.gateways.yoga, one), 3),
    ).toEqual([1, 1, 0]);
    expect(
      await expectSameOnAllPipelines(pipelines, callOf(pipelines.gateways.yoga, other), 1),
    ).toEqual([0]);
    expect(
      await expectSameOnAllPipelines(pipelines, callOf(pipelines.gateways.yoga, narrow), 2),
    ).toEqual([0, 0]);
    expect(
      (await pipelines.observe(callOf(pipelines.gateways.yoga, narrow))).observed.cached,
    ).toMatchObject({
      status: 403,
    });
    await pipelines.each(({ clock }) => clock.pass(200_000));
    expect(
      (await pipelines.observe(callOf(pipelines.gateways.yoga, one))).observed.cached,
    ).toMatchObject({
      status: 401,
    });
  });

  test('a cached response is served to a router with a valid secret and to no request with a wrong or missing one', async () => {
    const pipelines = createPipelines({
      settings: { ROUTER_SECRETS: 'a-router-secret-of-length' },
    });
    const right = { 'router-authorization': 'a-router-secret-of-length' };
    expect(
      await expectSameOnAllPipelines(pipelines, callOf(pipelines.gateways.yoga, right), 3),
    ).toEqual([1, 1, 0]);
    for (const headers of [
      {},
      { 'router-authorization': 'wrong' },
      { 'router-authorization': '' },
    ]) {
      await expectSameOnAllPipelines(pipelines, callOf(pipelines.gateways.yoga, headers), 2);
      expect(
        (await pipelines.observe(callOf(pipelines.gateways.yoga, headers))).observed.cached,
      ).toMatchObject({ status: 401 });
    }
    // A request for a federated trace is executed: a cached response has no timings.
    const traced = callOf(pipelines.gateways.yoga, {
      ...right,
      'apollo-federation-include-trace': 'ftv1',
    });
    const { startedOperations, observed } = await pipelines.observe(traced);
    expect(startedOperations.cached).toBe(1);
    expect(observed.cached).toMatchObject({
      text: expect.stringContaining('"ftv1"'),
      headers: { 'cache-control': 'no-store' },
    });
  });

  test('a document that only routers may send is rejected when a client without the router secret sends it', async () => {
    const secret = { 'router-authorization': 'a-router-secret-of-length' };
    const path = writeDocuments({ 'relay.json': { card: CALL } });
    const settings = { TRUSTED_DOCUMENTS: path, TRUSTED_DOCUMENTS_ONLY: 'on' };
    const key = await createKey('one');
    const pipelines = createPipelines({
      settings: { ...settings, ...JWT_SETTINGS, ROUTER_SECRETS: 'a-router-secret-of-length' },
      gateway: { fetchKeys: toFetchKeys(createTokenIssuer(key)) },
    });
    const exp = pipelines.gateways.yoga.clock.now() / 1000 + 100_000;
    const client = {
      authorization: `Bearer ${await sign(key, { ...VALID_CLAIMS, exp, sub: 'one' })}`,
    };
    const id = idsOf(pipelines.gateways.yoga).richCallId;
    const entities = {
      query:
        'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Call { id status } } }',
      variables: { r: [{ __typename: 'Call', id }] },
    };
    await expectSameOnAllPipelines(pipelines, post(entities, secret));
    await expectSameOnAllPipelines(pipelines, post(entities, client));
    expect((await pipelines.observe(post(entities, client))).observed.cached).toMatchObject({
      log: [{ code: 'FORBIDDEN' }],
      traffic: [],
    });
    // Routers and clients may send a trusted document by its id or in full.
    const variables = { id };
    const sha256Hash = createHash('sha256').update(CALL).digest('hex');
    for (const headers of [secret, client]) {
      await expectSameOnAllPipelines(pipelines, post({ documentId: 'card', variables }, headers));
      await expectSameOnAllPipelines(pipelines, post({ query: CALL, variables }, headers));
      await expectSameOnAllPipelines(
        pipelines,
        post({ extensions: { persistedQuery: { version: 1, sha256Hash } }, variables }, headers),
      );
      await expectSameOnAllPipelines(pipelines, post({ query: `${CALL} `, variables }, headers));
      await expectSameOnAllPipelines(pipelines, post({ documentId: 'other', variables }, headers));
    }
  });
});
