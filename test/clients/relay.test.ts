import {
  createOperationDescriptor,
  Environment,
  type EnvironmentConfig,
  fetchQuery,
  type GraphQLResponse,
  getPaginationMetadata,
  getPaginationVariables,
  getRefetchMetadata,
  getRequest,
  getSingularSelector,
  getValueAtPath,
  Network,
  RecordSource,
  Store,
  type Variables,
} from 'relay-runtime';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { type ServedGateway, serveTestGateway } from '../support/served-gateway.ts';
import { KEY_A, NO_CACHE } from '../support/test-gateway.ts';
import { type CompiledRelayApp, compileRelayApp } from './compile-relay.ts';
import { getDataID } from './guide/relay-assistants.ts';
import { describeListWalks, type PagedWalk, type Walk } from './list-walks.ts';
import { giveCallOlderAssistant } from './older-assistant.ts';
import { shareOneVoice } from './shared-voice.ts';

let app: CompiledRelayApp;
beforeAll(async () => {
  app = await compileRelayApp();
});
afterAll(() => app[Symbol.asyncDispose]());

describe('relay-runtime', () => {
  describeListWalks(openWalk);
});

describe('relay-runtime with `node`', () => {
  test('relay-runtime refetches a call by `node` and updates it in the store', async () => {
    await using gateway = await serveTestGateway({ settings: NO_CACHE });
    const { richCallId: id } = sampleIds(gateway.sandbox);
    const environment = createEnvironment(gateway.url);
    const query = app.query('callCardQuery');
    const operation = createOperationDescriptor(getRequest(query), { id });
    environment.retain(operation);
    const card = () => {
      // biome-ignore lint/suspicious/noExplicitAny: fragment references are opaque
      const { node } = environment.lookup(operation.fragment).data as any;
      const { data, isMissingData } = environment.lookup(
        getSingularSelector(app.fragment('callCard_call'), node.call)!,
      );
      expect(isMissingData).toBe(false);
      return data;
    };

    await fetchQuery(environment, query, { id }).toPromise();
    const call = gateway.sandbox.control.data(KEY_A).calls.find((one) => one.id === id)!;
    expect(card()).toMatchObject({
      id,
      status: 'COMPLETED',
      campaign: call.campaign,
      assistant: { name: call.assistant!.name },
    });
    expect(gateway.traffic()).toEqual([`GET /call/${id}`]);

    gateway.sandbox.control.putCall(KEY_A, { ...call, status: 'cancelled' });
    const { refetchableRequest } = getRefetchMetadata(app.fragment('callCard_call'), 'test');
    await fetchQuery(environment, refetchableRequest, { id }).toPromise();
    expect(card()).toMatchObject({ id, status: 'CANCELLED' });
    expect(gateway.traffic()).toEqual([`GET /call/${id}`]);
    expect(gateway.unexpectedErrors).toEqual([]);
  });

  test('relay-runtime reads null for an aliased call fragment when the id belongs to another type', async () => {
    await using gateway = await serveTestGateway({ settings: NO_CACHE });
    const id = sampleIds(gateway.sandbox).frenchAssistantId;
    const result = await fetchQuery(createEnvironment(gateway.url), app.query('callCardQuery'), {
      id,
    }).toPromise();
    expect(result).toEqual({ node: { call: null } });
    expect(gateway.traffic()).toEqual([`GET /call/${id}`, `GET /assistants/${id}`]);
  });
});

test('relay-runtime stores different speeds for two assistants with the same voice', async () => {
  await using gateway = await serveTestGateway({ settings: NO_CACHE });
  const voiced = shareOneVoice(gateway.sandbox);
  const environment = createEnvironment(gateway.url);
  const operation = createOperationDescriptor(getRequest(app.query('voicesQuery')), {});
  await fetchQuery(environment, app.query('voicesQuery'), {}).toPromise();
  // biome-ignore lint/suspicious/noExplicitAny: a GraphQL result
  const { assistants } = environment.lookup(operation.fragment).data as any;
  expect(assistants.nodes.slice(0, 2)).toMatchObject(voiced);
  expect(gateway.traffic()).toEqual(['GET /assistants']);
});

describe('relay-runtime with a call whose assistant differs from the assistant of today', () => {
  test('relay-runtime stores both side by side with the recipe, and a later query updates only its own', async () => {
    await using gateway = await serveTestGateway({ settings: NO_CACHE });
    const { variables, expected, traffic } = giveCallOlderAssistant(gateway.sandbox);
    const environment = createEnvironment(gateway.url, undefined, { getDataID });
    const query = app.query('bothAssistantsQuery');
    const operation = createOperationDescriptor(getRequest(query), variables);
    environment.retain(operation);
    await fetchQuery(environment, query, variables).toPromise();
    expect(environment.lookup(operation.fragment).data).toMatchObject(expected);
    expect(gateway.traffic().sort()).toEqual(traffic.toSorted());

    const { assistantId: id } = variables;
    const today = gateway.sandbox.control.data(KEY_A).assistants.find((one) => one.id === id)!;
    today.prompt = 'The prompt of tomorrow.';
    await fetchQuery(environment, app.query('bothAssistantsAgainQuery'), variables).toPromise();
    expect(environment.lookup(operation.fragment).data).toMatchObject({
      call: expected.call,
      assistant: { id, prompt: today.prompt },
    });
    expect(gateway.traffic()).toEqual([`GET /assistants/${id}`]);
    expect(gateway.unexpectedErrors).toEqual([]);
  });

  test('relay-runtime stores one content for both without the recipe, as the schema warns', async () => {
    await using gateway = await serveTestGateway({ settings: NO_CACHE });
    const { variables, traffic } = giveCallOlderAssistant(gateway.sandbox);
    const environment = createEnvironment(gateway.url);
    const query = app.query('bothAssistantsPlainQuery');
    const operation = createOperationDescriptor(getRequest(query), variables);
    const warned = vi.spyOn(console, 'error').mockImplementation(() => {});
    await fetchQuery(environment, query, variables).toPromise();
    expect(warned.mock.calls.join()).toContain('two instances of the same id');
    warned.mockRestore();
    // biome-ignore lint/suspicious/noExplicitAny: a GraphQL result
    const { call, assistant } = environment.lookup(operation.fragment).data as any;
    expect(call.assistant.prompt).toBe(assistant.prompt);
    expect(gateway.traffic().sort()).toEqual(traffic.toSorted());
  });
});

/** Pages through the list as `usePaginationFragment` does, without React. */
async function openWalk(
  { url }: ServedGateway,
  { list, direction, size, campaignId }: Walk,
): Promise<PagedWalk> {
  const received: string[][] = [];
  const environment = createEnvironment(url, ({ data }) => {
    // biome-ignore lint/suspicious/noExplicitAny: a GraphQL result
    const { callAttempts, campaign, node } = data as any;
    const { edges } = callAttempts ?? (campaign ?? node).rows;
    received.push(edges.map((edge: { node: { id: string } }) => edge.node.id));
  });
  const query = app.query(list === 'attempts' ? 'attemptsListQuery' : 'rowsListQuery');
  const fragment = app.fragment(list === 'attempts' ? 'attemptsList_query' : 'rowsList_campaign');
  const { paginationRequest, paginationMetadata, connectionPathInFragmentData } =
    getPaginationMetadata(fragment, 'openWalk');
  const variables: Variables = {
    [direction === 'forward' ? 'first' : 'last']: size,
    ...(list === 'rows' ? { id: campaignId } : {}),
  };
  const operation = createOperationDescriptor(getRequest(query), variables);
  environment.retain(operation);

  const connection = () => {
    // biome-ignore lint/suspicious/noExplicitAny: fragment references are opaque
    const root = environment.lookup(operation.fragment).data as any;
    const selector = getSingularSelector(fragment, list === 'attempts' ? root : root.campaign);
    const { data, isMissingData } = environment.lookup(selector!);
    expect(isMissingData).toBe(false);
    return {
      fragmentVariables: selector!.variables,
      ...(getValueAtPath(data, connectionPathInFragmentData) as {
        edges: { node: { id: string } }[];
        pageInfo: {
          hasNextPage: boolean;
          hasPreviousPage: boolean;
          startCursor: string;
          endCursor: string;
        };
      }),
    };
  };

  return {
    received,
    ids: () => connection().edges.map(({ node }) => node.id),
    hasMore: () =>
      connection().pageInfo[direction === 'forward' ? 'hasNextPage' : 'hasPreviousPage'],
    async step() {
      if (received.length === 0) {
        await fetchQuery(environment, query, variables).toPromise();
        return;
      }
      const { pageInfo, fragmentVariables } = connection();
      const cursor = pageInfo[direction === 'forward' ? 'endCursor' : 'startCursor'];
      const base = { ...operation.request.variables, ...fragmentVariables };
      const next = getPaginationVariables(direction, size, cursor, base, {}, paginationMetadata);
      await fetchQuery(environment, paginationRequest, next).toPromise();
    },
  };
}

function createEnvironment(
  url: string,
  onResult: (result: { data?: unknown }) => void = () => {},
  options: Pick<EnvironmentConfig, 'getDataID'> = {},
): Environment {
  return new Environment({
    ...options,
    store: new Store(new RecordSource()),
    network: Network.create(async ({ text }, variables) => {
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/graphql-response+json',
        },
        body: JSON.stringify({ query: text, variables }),
      });
      const result = (await response.json()) as GraphQLResponse & {
        data?: unknown;
        errors?: unknown;
      };
      expect(result.errors).toBeUndefined();
      onResult(result);
      return result;
    }),
  });
}
