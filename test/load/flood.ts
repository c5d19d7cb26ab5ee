/**
 * A worker thread, so that the measuring thread does not wait for it. Sends requests for distinct
 * calls, `concurrency` at a time, until it receives a message. Posts 'started' after the first
 * response, and the number of responses at the end.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { Agent, request } from 'undici';

export interface Flood {
  readonly url: string;
  readonly authorization: string;
  readonly concurrency: number;
  /** The prefix of the requested ids. */
  readonly name: string;
}

const { url, authorization, concurrency, name } = workerData as Flood;
const client = new Agent({ connections: concurrency });
let sentCount = 0;
let responseCount = 0;
let isOver = false;
parentPort?.once('message', () => {
  isOver = true;
});

async function keepSending(): Promise<void> {
  while (!isOver) {
    sentCount += 1;
    const { body } = await request(url, {
      dispatcher: client,
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization },
      body: JSON.stringify({
        query: `query ($id: ID!) { call(id: $id) { id } }`,
        variables: { id: `${name}-${sentCount}` },
      }),
    });
    const { errors } = (await body.json()) as { errors?: unknown };
    if (errors) throw new Error(JSON.stringify(errors));
    responseCount += 1;
    if (responseCount === 1) parentPort?.postMessage('started');
  }
}

await Promise.all(Array.from({ length: concurrency }, keepSending));
await client.close();
parentPort?.postMessage(responseCount);
