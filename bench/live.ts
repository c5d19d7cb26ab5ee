/**
 * Subscriptions of this gateway beside those of other servers: `npm run bench:live`, or one part of
 * it, as `npm run bench:live -- drain`. Each part prints its table, and writes it into
 * docs/operations/performance.md, and the transports into docs/operations/sizing.md; with `--short`
 * it only prints. `SUBSCRIBERS` is their number, ten for each call: without it 10,000 for the
 * transports and the drain, and 5,000 for the other parts. `CHURN_SECONDS=3600` lets subscribers
 * come and go for an hour. `GATEWAY_FLAGS` are further flags of Node for this gateway, as
 * `--max-old-space-size=1024`.
 */
import { exitAfter } from './harness/deadline.ts';
import { logProgress, publish } from './harness/report.ts';
import { pinThisProcess } from './harness/start.ts';
import { measureTarget } from './live/measure.ts';
import {
  measureChurn,
  measureDrain,
  measureQueries,
  measureTraffic,
  measureTransports,
  measureWebSocket,
} from './live/own.ts';
import * as tables from './live/tables.ts';
import { liveTargets, lowerBound, type Scale, thisGateway } from './live/targets.ts';
import { installPeers } from './targets.ts';

const isShort = process.argv.includes('--short');
const churnSeconds = Number(process.env.CHURN_SECONDS || (isShort ? 5 : 60));
const scale = toScale(5_000);
/** The pages of the parts that are not in docs/operations/performance.md. */
const PAGES: Readonly<Record<string, string>> = { transports: 'docs/operations/sizing.md' };
const MAX_RUN_MS = 900_000 + churnSeconds * 1_000;

const parts: Readonly<Record<string, () => Promise<string>>> = {
  async servers() {
    installPeers();
    const measurements = [];
    for (const target of liveTargets) {
      logProgress(`measuring ${target.name}`);
      measurements.push(await measureTarget(target, scale));
    }
    return tables.toServersTable(measurements, scale);
  },
  websocket: async () => tables.toWebSocketTable(await measureWebSocket(scale), scale),
  async transports() {
    const largeScale = toScale(10_000);
    return tables.toTransportsTable(await measureTransports(largeScale), largeScale);
  },
  async queries() {
    const measurements = [];
    for (const target of [thisGateway, lowerBound])
      measurements.push(await measureQueries(target, scale));
    return tables.toQueriesTable(measurements, scale);
  },
  traffic: async () => tables.toTrafficTable(await measureTraffic(scale), scale),
  churn: async () => tables.toChurnTable(await measureChurn(scale), scale),
  async drain() {
    const drainScale = toScale(10_000);
    return tables.toDrainTable(await measureDrain(drainScale), drainScale);
  },
};

exitAfter(MAX_RUN_MS);
pinThisProcess();
const names = process.argv.slice(2).filter((name) => !name.startsWith('--'));
for (const name of names.length > 0 ? names : Object.keys(parts)) {
  const part = parts[name];
  if (!part) throw new Error(`There is no part ${name}, only ${Object.keys(parts).join(', ')}.`);
  logProgress(`measuring ${name}`);
  const table = await part();
  if (isShort) logProgress(table);
  else publish(`live ${name}`, table, PAGES[name]);
}

/** @param defaultSubscribers their number without `SUBSCRIBERS` and `--short` */
function toScale(defaultSubscribers: number): Scale {
  const subscribers = isShort ? 1_000 : Number(process.env.SUBSCRIBERS || defaultSubscribers);
  return { subscribers, calls: subscribers / 10, seconds: isShort ? 4 : 5, churnSeconds };
}
