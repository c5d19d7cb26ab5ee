/** GraphQL Yoga with its own event streams and publish/subscribe, as its documentation shows them. */
import { createServer } from 'node:http';
import { createPubSub, createSchema, createYoga, pipe, Repeater } from 'graphql-yoga';
import { HOST, port } from './environment.ts';
import { createPollers, type LiveCall, typeDefs, typeResolvers } from './live-schema.ts';

const pubSub = createPubSub<{ call: [id: string, call: LiveCall] }>();
const pollers = createPollers((id, call) => pubSub.publish('call', id, call));

const yoga = createYoga({
  schema: createSchema({
    typeDefs,
    resolvers: {
      ...typeResolvers,
      Query: { call: () => null },
      Subscription: {
        callUpdated: {
          subscribe: (_root: unknown, { id }: { readonly id: string }) => follow(id),
          resolve: (call: LiveCall) => call,
        },
      },
    },
  }),
  logging: false,
});

createServer(yoga).listen(port, HOST);

/** The present state, then each change. */
function follow(id: string): AsyncIterable<LiveCall> {
  return Repeater.merge([
    new Repeater<LiveCall>(async (push, stop) => {
      const present = pollers.join(id);
      if (present) void push(present);
      await stop;
      pollers.leave(id);
    }),
    pipe(pubSub.subscribe('call', id)),
  ]);
}
