/**
 * Mercurius: Fastify, operations compiled from their first execution on, undici; and optionally
 * mercurius-cache, in memory, for each field of the query.
 */
import { makeExecutableSchema } from '@graphql-tools/schema';
import DataLoader from 'dataloader';
import Fastify from 'fastify';
import mercurius from 'mercurius';
import mercuriusCache from 'mercurius-cache';
import { Pool } from 'undici';
import { logRequest } from './access-log.ts';
import { AUTHORIZATION, CACHE_TTL_S, HOST, isCaching, port, upstreamUrl } from './environment.ts';
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

const { origin, pathname } = new URL(upstreamUrl);
const pool = new Pool(origin, { connections: 64 });
const app = Fastify();

// Fastify's own request log has two lines for each request.
const log = logRequest;
if (log) {
  app.addHook('onResponse', (request, reply, done) => {
    log({
      method: request.method,
      route: request.url,
      status: reply.statusCode,
      durationMs: reply.elapsedTime,
    });
    done();
  });
}

app.register(mercurius, {
  schema: makeExecutableSchema({
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
  jit: 1,
  context: (): Context => ({
    calls: new DataLoader((ids) =>
      Promise.all(ids.map(async (id) => (await get<{ call: Call }>(`/call/${id}`)).call)),
    ),
    assistants: new DataLoader((ids) =>
      Promise.all(ids.map((id) => get<Assistant>(`/assistants/${id}`))),
    ),
  }),
});

if (isCaching) {
  app.register(mercuriusCache.default, {
    ttl: CACHE_TTL_S,
    storage: { type: 'memory', options: { size: 10_000 } },
    policy: { Query: { call: true, assistant: true, callAttempts: true } },
  });
}

await app.listen({ port, host: HOST });

async function get<T>(path: string): Promise<T> {
  const { statusCode, body } = await pool.request({
    method: 'GET',
    path: `${pathname}${path}`,
    headers: { authorization: AUTHORIZATION },
  });
  if (statusCode !== 200) throw new Error(`GET ${path}: ${statusCode}`);
  return (await body.json()) as T;
}
