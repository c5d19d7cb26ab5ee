/**
 * The execution of an operation over upstream responses in memory, with its serialization: by plans,
 * and by graphql-js. Neither HTTP nor the loaders of the gateway are part of it.
 */
import { isDeepStrictEqual } from 'node:util';
import { execute, getOperationAST, parse } from 'graphql';
import { createDriftLog } from '#context/drift-log.ts';
import { createResponseBudget } from '#context/response-budget.ts';
import { createPlannedExecutor } from '#execution/executor.ts';
import { createSubgraphSchema } from '#federation/schema.ts';
import { parseJson } from '#rest/transport/parse-json.ts';
import { kindOf, type OperationName } from './fixture/operations.ts';
import { createUpstream } from './fixture/upstream.ts';

/** Executes an operation; returns its result as JSON. */
export type ExecuteOperation = () => Promise<string>;

const schema = createSubgraphSchema();
const executePlanned = createPlannedExecutor(schema, { maxCoercionErrors: 5 });
const respond = createUpstream();
const bodies = new Map<string, unknown>();

/** @throws if one of the results is not the expected one */
export async function createExecutions(
  name: OperationName,
): Promise<{ readonly planned: ExecuteOperation; readonly graphqlJs: ExecuteOperation }> {
  const { query, variables = {}, data: expected } = kindOf(name).at(0);
  const document = parse(query);
  const operation = getOperationAST(document);
  if (!operation) throw new Error('The document has no operation.');
  const executions = {
    planned: async () => {
      const request = { document, operation, variables, context: createContext() };
      return `{"data":${(await executePlanned(request))?.data?.toJson()}}`;
    },
    graphqlJs: async () => {
      const contextValue = createContext();
      return JSON.stringify(
        await execute({ schema, document, contextValue, variableValues: variables }),
      );
    },
  };
  for (const run of Object.values(executions)) {
    const text = await run();
    if (!isDeepStrictEqual(JSON.parse(text), { data: expected }))
      throw new Error(`${name}: unexpected result ${text.slice(0, 500)}`);
  }
  return executions;
}

function createContext() {
  return {
    driftLog: createDriftLog(),
    responseBudget: createResponseBudget({ maxBytes: 2 ** 25, maxErrors: 100 }, () => {}),
    paginationNotes: [],
    loaders: {
      call: async (id: string) => (read(`/call/${id}`) as { call: object }).call,
      assistant: async (id: string) => read(`/assistants/${id}`),
      callAttempts: () => ({ current: createList, renew: createList }),
    },
  };
}

/** The first page of call attempts, complete and in memory. */
function createList() {
  const { calls } = read('/call?page=1&page_size=50') as { calls: readonly object[] };
  return {
    pageSize: calls.length,
    total: calls.length,
    repeatedItems: 0,
    page: async () => calls,
    loaded: (index: number) => (index === 0 ? calls : undefined),
    isKnownEnd: () => true,
    rejectGeneration() {},
  };
}

function read(path: string): unknown {
  if (!bodies.has(path)) bodies.set(path, parseJson([respond(`/api${path}`, 'Bearer x').body]));
  return bodies.get(path);
}
