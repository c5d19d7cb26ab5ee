/**
 * A thread of its own, so that whoever measures does not wait for it: asks for calls that nobody has asked for, so many at a time, until it
 * is told to end. Says 'begun' with the first answer, and at the end how many there were.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { Agent, request } from 'undici';

export interface Flood {
  readonly url: string;
  readonly authorization: string;
  readonly concurrency: number;
  /** What its ids begin with. */
  readonly name: string;
}

const { url, authorization, concurrency, name } = workerData as Flood;
const client = new Agent({ connections: concurrency });
let sentCount = 0;
let answeredCount = 0;
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
    answeredCount += 1;
    if (answeredCount === 1) parentPort?.postMessage('begun');
  }
}

await Promise.all(Array.from({ length: concurrency }, keepSending));
await client.close();
parentPort?.postMessage(answeredCount);
