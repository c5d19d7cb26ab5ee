import { expect, test } from 'vitest';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { KEY_A, NO_RETRIES } from '../support/test-gateway.ts';
import { createTimedGateway } from '../support/timed-gateway.ts';

const CALL = 'query ($id: ID!) { call(id: $id) { id } }';

test('API keys that the upstream has not accepted take no cache memory and evict no entries of other keys', async () => {
  const { execute, traffic, sandbox } = createTimedGateway({
    settings: { ...NO_RETRIES, REVOX_API_KEY: '' },
  });
  const { richCallId: id } = sampleIds(sandbox);
  const executeAs = (key: string) => execute(CALL, { id }, { authorization: `Bearer ${key}` });
  await executeAs(KEY_A);
  for (let start = 0; start < 10_500; start += 500) {
    await Promise.all(Array.from({ length: 500 }, (_, n) => executeAs(`sk_made_up_${start + n}`)));
  }
  traffic();
  expect((await executeAs(KEY_A)).data.call).toEqual({ id });
  expect(traffic()).toEqual([]);
});
