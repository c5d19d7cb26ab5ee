import { kinds } from '../fixture/operations.ts';
import { createClient } from '../harness/load.ts';
import { median } from '../harness/median.ts';
import { describeConditions, toTable } from '../harness/report.ts';
import type { UpstreamProcess } from '../harness/start.ts';
import { HEADERS, thisGateway } from '../targets.ts';
import type { Scale } from './scale.ts';
import { startTarget } from './target.ts';
import { warmUpTarget } from './warm-up.ts';

/** The cost of warm operations for a client that accepts compressed responses. */
export async function measureCompression(
  upstream: UpstreamProcess,
  { warmUp, rounds, roundMs }: Scale,
): Promise<string> {
  await using entry = await startTarget(thisGateway, upstream);
  const headers = { ...HEADERS, 'accept-encoding': 'br, gzip' };
  await using accepting = createClient(entry.served, headers, 16);
  await warmUpTarget(entry, kinds, warmUp);
  const rows: string[][] = [];
  for (const kind of kinds) {
    const operations = [kind.at(0)];
    const [plain, brotli]: [number[], number[]] = [[], []];
    await accepting.load(operations, roundMs);
    for (let round = 0; round < rounds; round += 1) {
      plain.push((await entry.client.load(operations, roundMs)).cpuUs);
      brotli.push((await accepting.load(operations, roundMs)).cpuUs);
    }
    rows.push([kind.name, ...[plain, brotli].map((times) => median(times).toFixed(0))]);
  }
  return `${describeConditions(`The median of ${rounds} rounds of ${roundMs} ms.`)}\n\n${toTable(
    ['this gateway, warm', 'uncompressed, µs', 'brotli, µs'],
    rows,
  )}`;
}
