/**
 * The usual starting point: GraphQL Yoga, Node's own fetch, and DataLoaders that live as long as a
 * request.
 */
import { createServer } from 'node:http';
import DataLoader from 'dataloader';
import { createSchema, createYoga } from 'graphql-yoga';
import { logWhenSent } from './access-log.ts';
import { AUTHORIZATION, HOST, port, upstreamUrl } from './environment.ts';
import {
  type Assistant,
  type ById,
  type Call,
  type CallAttempt,
  type PageArguments,
  plainResolvers,
  toPagePath,
  typeDefs,
} from './schema.ts';

interface Context {
  readonly calls: DataLoader<string, Call>;
  readonly assistants: DataLoader<string, Assistant>;
}

const yoga = createYoga<object, Context>({
  schema: createSchema<Context>({
    typeDefs,
    resolvers: {
      ...plainResolvers,
      Query: {
        call: (_root: unknown, { id }: ById, { calls }: Context) => calls.load(id),
        assistant: (_root: unknown, { id }: ById, { assistants }: Context) => assistants.load(id),
        callAttempts: async (_root: unknown, page: PageArguments) => ({
          nodes: (await get<{ calls: CallAttempt[] }>(toPagePath(page))).calls,
        }),
      },
    },
  }),
  context: () => ({
    calls: new DataLoader((ids) =>
      Promise.all(ids.map(async (id) => (await get<{ call: Call }>(`/call/${id}`)).call)),
    ),
    assistants: new DataLoader((ids) =>
      Promise.all(ids.map((id) => get<Assistant>(`/assistants/${id}`))),
    ),
  }),
});

createServer((request, response) => {
  logWhenSent(request, response);
  void yoga(request, response);
}).listen(port, HOST);

async function get<T>(path: string): Promise<T> {
  const response = await fetch(`${upstreamUrl}${path}`, {
    headers: { authorization: AUTHORIZATION },
  });
  if (!response.ok) throw new Error(`GET ${path}: ${response.status}`);
  return (await response.json()) as T;
}
