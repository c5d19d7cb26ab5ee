import { createObservedGateway, type ObservedGateway } from '../support/pipelines.ts';
import type { TestGatewayOptions } from '../support/test-gateway.ts';
import { callOf } from './pipeline-requests.ts';

/**
 * A gateway with a response cache. The first request of a document goes through the Yoga pipeline;
 * the response to the second one is cached.
 */
export async function createCachingGateway(
  init: (gateway: ObservedGateway) => RequestInit = callOf,
  options: TestGatewayOptions = {},
) {
  const testGateway = createObservedGateway('cached', options);
  const send = async (given = init(testGateway)) => {
    const response = await testGateway.fetch('/graphql', given);
    const text = await response.text();
    return {
      text,
      result: JSON.parse(text),
      age: response.headers.get('cache-control'),
      opened: testGateway.takeStartedOperations(),
    };
  };
  return { ...testGateway, send };
}
