// Apollo Gateway, set up as in its documentation. Arguments: the supergraph's file and the port.
import { readFileSync } from 'node:fs';
import { ApolloGateway, RemoteGraphQLDataSource } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';

const [, , supergraph, port] = process.argv;

class Revox extends RemoteGraphQLDataSource {
  willSendRequest({ request, context }) {
    request.http.headers.set('router-authorization', process.env.REVOX_ROUTER_SECRET);
    if (context.authorization) request.http.headers.set('authorization', context.authorization);
  }
}

const gateway = new ApolloGateway({
  supergraphSdl: readFileSync(supergraph, 'utf8'),
  buildService: ({ name, url }) =>
    name === 'revox' ? new Revox({ url }) : new RemoteGraphQLDataSource({ url }),
});
/**
 * Requests traces from subgraphs when a client sends `x-trace`, and returns them in the extensions:
 * normally they go to Apollo's cloud.
 */
const traces = {
  requestDidStart: async ({ request, metrics }) => {
    if (request.http.headers.get('x-trace') !== '1') return {};
    metrics.captureTraces = true;
    return {
      willSendResponse: async ({ response }) => {
        response.body.singleResult.extensions = { queryPlanTrace: metrics.queryPlanTrace };
      },
    };
  },
};

const { url } = await startStandaloneServer(new ApolloServer({ gateway, plugins: [traces] }), {
  listen: { host: '127.0.0.1', port: Number(port) },
  context: async ({ req }) => ({ authorization: req.headers.authorization }),
});
console.log(`Ready at ${url}`);
