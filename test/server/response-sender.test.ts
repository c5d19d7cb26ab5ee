import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { createResponseSender } from '#server/response-sender.ts';
import { createManualTimers } from '../rest/real-server.ts';

const SEND_TIMEOUT_MS = 1_000;
const SLICES = 5;
const BODY = new Uint8Array(SLICES * 65_536);

/** A socket whose client reads only when the test says so. */
class HeldSocket extends Socket {
  #taken: (() => void)[] = [];
  #bytes = 0;

  override _write(chunk: Uint8Array, _: BufferEncoding, callback: () => void): void {
    this.#bytes += chunk.length;
    this.#taken.push(callback);
  }

  override _writev(chunks: { readonly chunk: Uint8Array }[], callback: () => void): void {
    for (const { chunk } of chunks) this.#bytes += chunk.length;
    this.#taken.push(callback);
  }

  /** Reads everything that was written, and returns its size in bytes. */
  async readAll(): Promise<number> {
    await new Promise(setImmediate);
    for (let next = this.#taken.shift(); next; next = this.#taken.shift()) next();
    const bytes = this.#bytes;
    this.#bytes = 0;
    await new Promise(setImmediate);
    return bytes;
  }
}

function createSendingScene() {
  const timers = createManualTimers();
  const unread: ServerResponse[] = [];
  const socket = new HeldSocket();
  const response = new ServerResponse(new IncomingMessage(socket));
  response.assignSocket(socket);
  const sender = createResponseSender({
    sendTimeoutMs: SEND_TIMEOUT_MS,
    startTimer: timers.startTimer,
    onSendTimeout: (left) => unread.push(left),
  });
  return { timers, unread, socket, response, sender };
}

test('a client that reads each slice within its own time limit receives the whole response', async () => {
  const { timers, unread, socket, response, sender } = createSendingScene();
  sender.sendInSlices(BODY, response.writeHead(200, { 'content-length': BODY.byteLength }));
  let bytes = 0;
  for (let slice = 1; slice <= SLICES; slice += 1) {
    expect(timers.running).toEqual([SEND_TIMEOUT_MS]);
    const readBytes = await socket.readAll();
    expect(readBytes).toBeGreaterThanOrEqual(65_536);
    bytes += readBytes;
  }
  // The bytes include the head.
  expect(bytes).toBeGreaterThan(BODY.byteLength);
  response.destroy();
  response.emit('close');
  expect([timers.running, unread]).toEqual([[], []]);
});

test('a response is reported when its client does not read the next slice in time', async () => {
  const { timers, unread, socket, response, sender } = createSendingScene();
  sender.sendInSlices(BODY, response.writeHead(200, { 'content-length': BODY.byteLength }));
  await socket.readAll();
  expect(unread).toEqual([]);
  timers.elapse(SEND_TIMEOUT_MS);
  expect(unread).toEqual([response]);
});
