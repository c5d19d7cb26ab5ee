import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, type GatewayProcess, startProcess } from '../sockets/demo-process.ts';
import type { Observed } from './attack.ts';
import type { NamedAttack } from './attacks.ts';

const ROOT = join(import.meta.dirname, '../..');
const PROCESSES = join(import.meta.dirname, 'processes');
const HEAP_MIB = 256;
const MEBIBYTE = 2 ** 20;
const MAX_STDERR = 1_000;

/**
 * A gateway in pass-through mode with a heap of 256 MiB, its upstream and an attacker. Each runs
 * in its own process.
 */
export interface AttackedGateway extends AsyncDisposable {
  /** The URL of the GraphQL endpoint. */
  readonly url: string;
  /** The URL of a control server that responds at once and does nothing else. */
  readonly controlUrl: string;
  /** Runs the attack for this time, in ms; rejects when the attacker process fails. */
  attack(ms: number): Promise<Observed>;
  /** Requests received by the upstream, without those of the neighbour. */
  upstreamRequests(): Promise<number>;
  /** The peak resident memory of the gateway process, in MiB. */
  peakMebibytes(): number;
  /** The error lines of the gateway's log. */
  unexpectedErrors(): readonly string[];
  /** How the process has ended; `undefined` while it runs. */
  ending(): string | undefined;
}

/** @param neighbour the API key of the tenant that the attack must not affect */
export async function startAttackedGateway(
  { id, attack }: NamedAttack,
  neighbour: string,
): Promise<AttackedGateway> {
  const upstream = fork(join(PROCESSES, 'upstream-server.ts'), [id, neighbour], { cwd: ROOT });
  const control = fork(join(PROCESSES, 'control-server.ts'), { cwd: ROOT });
  const [[upstreamUrl], [controlUrl]] = (await Promise.all([
    once(upstream, 'message'),
    once(control, 'message'),
  ])) as [[string], [string]];
  const port = await freePort();
  const gateway = startProcess(
    process.execPath,
    [`--max-old-space-size=${HEAP_MIB}`, 'src/main.ts'],
    {
      cwd: ROOT,
      settings: {
        NODE_ENV: 'production',
        PORT: String(port),
        REVOX_BASE_URL: upstreamUrl,
        REVOX_FIRST_PAGE: '1',
        ...attack.settings,
      },
    },
  );
  const lines = collectLines(gateway);
  let ending: string | undefined;
  void gateway.ended.then(({ code, stderr }) => {
    ending = `The process ended with ${code}: ${stderr.slice(0, MAX_STDERR)}`;
  });
  const url = `http://127.0.0.1:${port}/graphql`;
  const line = await gateway.firstLine;
  if (!line.includes(url)) throw new Error(`The gateway did not start: ${line}`);

  return {
    url,
    controlUrl,
    attack: (ms) => runAttacker(id, url, ms),
    async upstreamRequests() {
      upstream.send('count');
      const [requests] = (await once(upstream, 'message')) as [number];
      return requests;
    },
    peakMebibytes: () => peakBytesOf(gateway.process) / MEBIBYTE,
    unexpectedErrors: () => lines,
    ending: () => ending,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await Promise.all([upstream, control].map(end));
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

async function runAttacker(id: string, url: string, ms: number): Promise<Observed> {
  const attacker = fork(join(PROCESSES, 'attacker-process.ts'), [id, url, String(ms)], {
    cwd: ROOT,
  });
  const exited = once(attacker, 'exit').then(([code]) => {
    throw new Error(`The attacker ended with ${code}.`);
  });
  const [observed] = (await Promise.race([once(attacker, 'message'), exited])) as [Observed];
  return observed;
}

/** Stores only error lines, without those of conditions: an attack may make the upstream fail. */
function collectLines({ process: { stdout } }: GatewayProcess): string[] {
  const lines: string[] = [];
  let rest = '';
  stdout?.on('data', (data) => {
    const parts = `${rest}${data}`.split('\n');
    rest = parts.pop() ?? '';
    lines.push(
      ...parts.filter((line) => line.includes('"level":"error"') && !line.includes('"condition":')),
    );
  });
  return lines;
}

function peakBytesOf({ pid }: ChildProcess): number {
  const kibibytes = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kibibytes) * 1024;
}
