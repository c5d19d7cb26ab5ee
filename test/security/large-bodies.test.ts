import { existsSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { startDemo } from '../sockets/demo-process.ts';

const MEBIBYTE = 2 ** 20;
const LARGE = 20 * MEBIBYTE;
const CONCURRENT_REQUESTS = 10;

/** Of a process whose heap is bounded to 128 MiB; idle it takes some 200. All of the bodies at once would be 800 MB. */
const MAX_RESIDENT_BYTES = 600 * MEBIBYTE;

const WITH_LENGTH = { 'content-type': 'application/json', 'content-length': String(LARGE) };
const CHUNKED = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' };

const BODIES: [string, Record<string, string>, () => Iterable<Buffer>][] = [
  ['that tells its length', WITH_LENGTH, () => pieces('{"query": "#', 'x')],
  ['that does not', CHUNKED, () => pieces('{"query": "#', 'x')],
  ['of brackets', CHUNKED, () => pieces('', '[')],
  [
    'packed',
    { ...CHUNKED, 'content-encoding': 'gzip' },
    () => [gzipSync(Buffer.alloc(LARGE, '['))],
  ],
];

// What the process takes is read where Linux tells it.
test.skipIf(!existsSync('/proc/self/status'))(
  'ten times four bodies of 20 MB at once are refused, and the process takes no more than it should',
  async () => {
    await using demo = await startDemo({ NODE_OPTIONS: '--max-old-space-size=128' });
    const sendings = BODIES.flatMap(([name, headers, toBody]) =>
      Array.from({ length: CONCURRENT_REQUESTS }, () => send(demo.url, name, headers, toBody())),
    );
    for (const { name, status, text } of await Promise.all(sendings)) {
      expect({ name, status }).toEqual({
        name,
        status: name === 'packed' ? expect.toBeOneOf([400, 413, 415]) : 413,
      });
      expect(JSON.parse(text).errors).toMatchObject([
        { extensions: { code: expect.stringMatching(/OPERATION_TOO_COMPLEX|BAD_USER_INPUT/) } },
      ]);
    }
    expect(peakOf(demo.process.pid)).toBeLessThan(MAX_RESIDENT_BYTES);

    const answer = await fetch(
      `${demo.url}?query=${encodeURIComponent('{ assistants(first: 1) { nodes { id } } }')}`,
    );
    expect((await answer.json()).data.assistants.nodes).toHaveLength(1);
    expect(demo.process.exitCode).toBeNull();
  },
);

function* pieces(start: string, filling: string): Iterable<Buffer> {
  const piece = Buffer.alloc(MEBIBYTE, filling);
  piece.write(start);
  yield piece;
  for (let sent = MEBIBYTE; sent < LARGE; sent += MEBIBYTE) yield Buffer.alloc(MEBIBYTE, filling);
}

/** As clients do. Where the connection ends with the answer, Node cuts off who still sends, and the answer may be lost on the way. */
const KEEP_ALIVE_AGENT = new Agent({ keepAlive: true });

interface Sent {
  readonly name: string;
  /** Undefined where the connection was closed without an answer, which is to nobody's use. */
  readonly status?: number | undefined;
  readonly text: string;
}

/** Sends a body piece by piece, each when the one before has left, until an answer comes. */
function send(
  url: string,
  name: string,
  headers: Record<string, string>,
  body: Iterable<Buffer>,
): Promise<Sent> {
  const { promise, resolve } = Promise.withResolvers<Sent>();
  const sending = request(url, { method: 'POST', headers, agent: KEEP_ALIVE_AGENT });
  let isAnswered = false;
  sending.on('error', () => isAnswered || resolve({ name, text: '' }));
  sending.on('response', (response) => {
    isAnswered = true;
    let text = '';
    response.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    response.on('close', () => resolve({ name, status: response.statusCode, text }));
  });
  void feed();
  return promise;

  async function feed(): Promise<void> {
    for (const piece of body) {
      if (isAnswered || sending.destroyed) break;
      await new Promise((onSent) => sending.write(piece, onSent));
    }
    sending.end();
  }
}

/** The most memory that a process has ever held, bytes. */
function peakOf(pid: number | undefined): number {
  const kibibytes = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kibibytes) * 1024;
}
