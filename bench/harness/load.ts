import { isDeepStrictEqual } from 'node:util';
import { Pool } from 'undici';
import type { Operation } from '../fixture/operations.ts';
import type { ServerProcess } from './start.ts';

export interface Client extends AsyncDisposable {
  /** Sends the operation once, and verifies its response. */
  check(operation: Operation): Promise<void>;
  /** Sends the operations in turn, repeatedly, on all connections concurrently. */
  load(operations: readonly Operation[], ms: number): Promise<Load>;
  /** The response time, in ms. */
  latency(operation: Operation): Promise<number>;
}

export interface Load {
  readonly operations: number;
  readonly perSecond: number;
  /** Processor time of the server per operation, in µs. */
  readonly cpuUs: number;
}

export function createClient(
  served: ServerProcess,
  headers: Readonly<Record<string, string>>,
  connections: number,
): Client {
  const { origin, pathname: path } = new URL(served.url);
  const pool = new Pool(origin, { connections, pipelining: 1 });
  const allHeaders = { 'content-type': 'application/json', accept: 'application/json', ...headers };
  /**
   * Each load continues where the previous one stopped: a short load would only reach the first
   * operations.
   */
  let next = 0;
  const send = (body: Buffer) => pool.request({ method: 'POST', path, headers: allHeaders, body });

  return {
    async check(operation) {
      const { statusCode, body } = await send(toBody(operation));
      const text = await body.text();
      const { data, errors } = JSON.parse(text) as { data?: unknown; errors?: unknown };
      if (statusCode === 200 && errors === undefined && isDeepStrictEqual(data, operation.data))
        return;
      throw new Error(
        `${served.url} sends a wrong response to ${operation.name}: ${statusCode} ${text.slice(0, 1_000)}`,
      );
    },
    async load(operations, ms) {
      const bodies = operations.map(toBody);
      let sent = 0;
      const before = await served.measure();
      const startedAt = performance.now();
      const keepSending = async () => {
        while (performance.now() - startedAt < ms) {
          const { statusCode, body } = await send(bodies[next++ % bodies.length] as Buffer);
          sent += 1;
          if (statusCode !== 200)
            throw new Error(`${served.url} responds with ${statusCode}: ${await body.text()}`);
          await body.bytes();
        }
      };
      await Promise.all(Array.from({ length: connections }, keepSending));
      const seconds = (performance.now() - startedAt) / 1000;
      const after = await served.measure();
      return {
        operations: sent,
        perSecond: sent / seconds,
        cpuUs: ((after.cpuMs - before.cpuMs) / sent) * 1000,
      };
    },
    async latency(operation) {
      const body = toBody(operation);
      const startedAt = performance.now();
      const response = await send(body);
      await response.body.bytes();
      return performance.now() - startedAt;
    },
    [Symbol.asyncDispose]: () => pool.destroy(),
  };
}

function toBody({ query, variables }: Operation): Buffer {
  return Buffer.from(JSON.stringify({ query, variables }));
}
