/**
 * Mercurius with its own subscriptions: over WebSocket, the only transport that it has, and published
 * as its documentation shows.
 */
import { makeExecutableSchema } from '@graphql-tools/schema';
import Fastify from 'fastify';
import mercurius, { type MercuriusContext } from 'mercurius';
import { HOST, port } from './environment.ts';
import { createPollers, type LiveCall, typeDefs, typeResolvers } from './live-schema.ts';

interface CallEvent {
  readonly callUpdated: LiveCall;
}

const app = Fastify();
const pollers = createPollers((id, callUpdated) =>
  app.graphql.pubsub.publish({ topic: id, payload: { callUpdated } satisfies CallEvent }),
);

app.register(mercurius, {
  schema: makeExecutableSchema({
    typeDefs,
    resolvers: {
      ...typeResolvers,
      Query: { call: () => null },
      Subscription: {
        callUpdated: {
          subscribe: (_root: unknown, { id }: { readonly id: string }, context: MercuriusContext) =>
            follow(id, context),
        },
      },
    },
  }),
  subscription: true,
});

await app.listen({ port, host: HOST });

/** The present state, then each change. */
async function* follow(id: string, { pubsub }: MercuriusContext): AsyncIterable<CallEvent> {
  const changes: AsyncIterable<CallEvent> = await pubsub.subscribe(id);
  const present = pollers.join(id);
  try {
    if (present) yield { callUpdated: present };
    yield* changes;
  } finally {
    pollers.leave(id);
  }
}
