import { existsSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { startDemo } from '../sockets/demo-process.ts';

const MEBIBYTE = 2 ** 20;
const LARGE = 20 * MEBIBYTE;
const CONCURRENT_REQUESTS = 10;

/**
 * Maximum resident memory of a process with a heap of 128 MiB, in bytes. An idle process has about
 * 200 MB. All bodies at once would have 800 MB.
 */
const MAX_RESIDENT_BYTES = 600 * MEBIBYTE;

const WITH_LENGTH = { 'content-type': 'application/json', 'content-length': String(LARGE) };
const CHUNKED = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' };

const BODIES: [string, Record<string, string>, () => Iterable<Buffer>][] = [
  ['with Content-Length', WITH_LENGTH, () => pieces('{"query": "#', 'x')],
  ['chunked', CHUNKED, () => pieces('{"query": "#', 'x')],
  ['chunked brackets', CHUNKED, () => pieces('', '[')],
  [
    'compressed',
    { ...CHUNKED, 'content-encoding': 'gzip' },
    () => [gzipSync(Buffer.alloc(LARGE, '['))],
  ],
];

// The test reads the memory of the process from `/proc`, which only Linux has.
test.skipIf(!existsSync('/proc/self/status'))(
  'forty concurrent bodies of 20 MB are rejected within the memory limit of the process',
  async () => {
    await using demo = await startDemo({ NODE_OPTIONS: '--max-old-space-size=128' });
    const sendings = BODIES.flatMap(([name, headers, toBody]) =>
      Array.from({ length: CONCURRENT_REQUESTS }, () => send(demo.url, name, headers, toBody())),
    );
    for (const { name, status, text } of await Promise.all(sendings)) {
      expect({ name, status }).toEqual({
        name,
        status: name === 'compressed' ? expect.toBeOneOf([400, 413, 415]) : 413,
      });
      expect(JSON.parse(text).errors).toMatchObject([
        { extensions: { code: expect.stringMatching(/OPERATION_TOO_COMPLEX|BAD_USER_INPUT/) } },
      ]);
    }
    expect(peakOf(demo.process.pid)).toBeLessThan(MAX_RESIDENT_BYTES);

    const response = await fetch(
      `${demo.url}?query=${encodeURIComponent('{ assistants(first: 1) { nodes { id } } }')}`,
    );
    expect((await response.json()).data.assistants.nodes).toHaveLength(1);
    expect(demo.process.exitCode).toBeNull();
  },
);

function* pieces(start: string, filling: string): Iterable<Buffer> {
  const piece = Buffer.alloc(MEBIBYTE, filling);
  piece.write(start);
  yield piece;
  for (let sent = MEBIBYTE; sent < LARGE; sent += MEBIBYTE) yield Buffer.alloc(MEBIBYTE, filling);
}

/**
 * Clients keep connections alive. When the connection ends with the response, Node.js resets it
 * while the client still sends, and the response may be lost.
 */
const KEEP_ALIVE_AGENT = new Agent({ keepAlive: true });

interface Sent {
  readonly name: string;
  /** `undefined` when the connection was closed without a response. */
  readonly status?: number | undefined;
  readonly text: string;
}

/**
 * Sends a body piece by piece, each after the previous one was written, until a response arrives.
 */
function send(
  url: string,
  name: string,
  headers: Record<string, string>,
  body: Iterable<Buffer>,
): Promise<Sent> {
  const { promise, resolve } = Promise.withResolvers<Sent>();
  const sending = request(url, { method: 'POST', headers, agent: KEEP_ALIVE_AGENT });
  let hasResponse = false;
  sending.on('error', () => hasResponse || resolve({ name, text: '' }));
  sending.on('response', (response) => {
    hasResponse = true;
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
      if (hasResponse || sending.destroyed) break;
      await new Promise((onSent) => sending.write(piece, onSent));
    }
    sending.end();
  }
}

/** The peak resident memory of a process, in bytes. */
function peakOf(pid: number | undefined): number {
  const kibibytes = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kibibytes) * 1024;
}
