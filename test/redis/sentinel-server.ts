import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { freePort, startProcess } from '../sockets/demo-process.ts';

/** Starts a Sentinel that decides alone. It ends with the test. */
export async function startSentinel(masterPort: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'redis-sentinel-'));
  const port = await freePort();
  const file = join(folder, 'sentinel.conf');
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    `sentinel monitor mymaster 127.0.0.1 ${masterPort} 1`,
    'sentinel down-after-milliseconds mymaster 300',
    'sentinel failover-timeout mymaster 3000',
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  const sentinel = startProcess('/usr/bin/redis-server', [file, '--sentinel'], { settings: {} });
  onTestFinished(async () => {
    await sentinel[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });
  await sentinel.firstLine;
  return `redis://127.0.0.1:${port}`;
}
