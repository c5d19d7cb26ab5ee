/**
 * Apollo Server with RESTDataSource, and optionally its response cache, which stores whole
 * responses in memory.
 */
import { type AugmentedRequest, RESTDataSource } from '@apollo/datasource-rest';
import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import { ApolloServerPluginCacheControl } from '@apollo/server/plugin/cacheControl';
import { startStandaloneServer } from '@apollo/server/standalone';
import responseCache from '@apollo/server-plugin-response-cache';
import type { Fetcher } from '@apollo/utils.fetcher';
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
  readonly revox: RevoxDataSource;
}

class RevoxDataSource extends RESTDataSource {
  override baseURL = `${upstreamUrl}/`;

  override willSendRequest(_path: string, request: AugmentedRequest): void {
    request.headers.authorization = AUTHORIZATION;
  }

  async getCall(id: string): Promise<Call> {
    return (await this.get<{ call: Call }>(`call/${id}`)).call;
  }

  getAssistant(id: string): Promise<Assistant> {
    return this.get<Assistant>(`assistants/${id}`);
  }

  async listCallAttempts(page: PageArguments): Promise<CallAttempt[]> {
    return (await this.get<{ calls: CallAttempt[] }>(toPagePath(page).slice(1))).calls;
  }
}

const server = new ApolloServer<Context>({
  typeDefs,
  resolvers: {
    ...plainResolvers,
    Query: {
      call: (_root: unknown, { id }: ById, { revox }: Context) => revox.getCall(id),
      assistant: (_root: unknown, { id }: ById, { revox }: Context) => revox.getAssistant(id),
      callAttempts: async (_root: unknown, page: PageArguments, { revox }: Context) => ({
        nodes: await revox.listCallAttempts(page),
      }),
    },
  },
  plugins: [
    ...(logRequest ? [accessLog(logRequest)] : []),
    ...(isCaching
      ? [ApolloServerPluginCacheControl({ defaultMaxAge: CACHE_TTL_S }), responseCache()]
      : []),
  ],
});

await startStandaloneServer(server, {
  listen: { port, host: HOST },
  // Node's own fetch is faster than the one that RESTDataSource includes.
  context: async () => ({
    revox: new RevoxDataSource({ cache: server.cache, fetch: fetch as unknown as Fetcher }),
  }),
});

function accessLog(log: NonNullable<typeof logRequest>): ApolloServerPlugin<Context> {
  return {
    async requestDidStart({ request }) {
      const startedAt = performance.now();
      return {
        async willSendResponse({ response }) {
          log({
            method: request.http?.method,
            route: '/graphql',
            status: response.http.status ?? 200,
            durationMs: performance.now() - startedAt,
          });
        },
      };
    },
  };
}
