import {
  createOperationDescriptor,
  Environment,
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
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { type ServedGateway, serveTestGateway } from '../support/served-gateway.ts';
import { KEY_A, NO_CACHE } from '../support/test-gateway.ts';
import { type CompiledRelayApp, compileRelayApp } from './compile-relay.ts';
import { describeListWalks, type PagedWalk, type Walk } from './list-walks.ts';
import { shareOneVoice } from './shared-voice.ts';

let app: CompiledRelayApp;
beforeAll(async () => {
  app = await compileRelayApp();
});
afterAll(() => app[Symbol.asyncDispose]());

describe('relay-runtime walks', () => {
  describeListWalks(openWalk);
});

describe('a call, by `node`', () => {
  test('is refetched where it stands in the store', async () => {
    await using world = await serveTestGateway({ settings: NO_CACHE });
    const { richCallId: id } = sampleIds(world.sandbox);
    const environment = createEnvironment(world.url);
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
    const call = world.sandbox.control.data(KEY_A).calls.find((one) => one.id === id)!;
    expect(card()).toMatchObject({
      id,
      status: 'COMPLETED',
      campaign: call.campaign,
      assistant: { name: call.assistant!.name },
    });
    expect(world.traffic()).toEqual([`GET /call/${id}`]);

    world.sandbox.control.putCall(KEY_A, { ...call, status: 'cancelled' });
    const { refetchableRequest } = getRefetchMetadata(app.fragment('callCard_call'), 'test');
    await fetchQuery(environment, refetchableRequest, { id }).toPromise();
    expect(card()).toMatchObject({ id, status: 'CANCELLED' });
    expect(world.traffic()).toEqual([`GET /call/${id}`]);
    expect(world.unexpectedErrors).toEqual([]);
  });

  test('is null under its alias when the id is of something else', async () => {
    await using world = await serveTestGateway({ settings: NO_CACHE });
    const id = sampleIds(world.sandbox).frenchAssistantId;
    const answer = await fetchQuery(createEnvironment(world.url), app.query('callCardQuery'), {
      id,
    }).toPromise();
    expect(answer).toEqual({ node: { call: null } });
    expect(world.traffic()).toEqual([`GET /call/${id}`, `GET /assistants/${id}`]);
  });
});

test('two assistants with the same voice keep their own speeds', async () => {
  await using world = await serveTestGateway({ settings: NO_CACHE });
  const voiced = shareOneVoice(world.sandbox);
  const environment = createEnvironment(world.url);
  const operation = createOperationDescriptor(getRequest(app.query('voicesQuery')), {});
  await fetchQuery(environment, app.query('voicesQuery'), {}).toPromise();
  // biome-ignore lint/suspicious/noExplicitAny: an answer
  const { assistants } = environment.lookup(operation.fragment).data as any;
  expect(assistants.nodes.slice(0, 2)).toMatchObject(voiced);
  expect(world.traffic()).toEqual(['GET /assistants']);
});

/** What `usePaginationFragment` does, without React. */
async function openWalk(
  { url }: ServedGateway,
  { list, direction, size, campaignId }: Walk,
): Promise<PagedWalk> {
  const received: string[][] = [];
  const environment = createEnvironment(url, ({ data }) => {
    // biome-ignore lint/suspicious/noExplicitAny: an answer
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
  onAnswer: (answer: { data?: unknown }) => void = () => {},
): Environment {
  return new Environment({
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
      const answer = (await response.json()) as GraphQLResponse & {
        data?: unknown;
        errors?: unknown;
      };
      expect(answer.errors).toBeUndefined();
      onAnswer(answer);
      return answer;
    }),
  });
}
