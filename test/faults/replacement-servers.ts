import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { Worker } from 'node:worker_threads';
import type { Certificate } from '../support/faulty-upstream.ts';

/** Listens on the upstream's port until it is disposed of. */
export type ReplacementServer = (port: number) => Promise<AsyncDisposable>;

const HOST = '127.0.0.1';

export const noListener: ReplacementServer = async () => ({ async [Symbol.asyncDispose]() {} });

/** The operating system accepts connections into the backlog, and no process takes them from there. */
export const backlogOnly: ReplacementServer = async (port) => {
  const stopped = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(BUSY_SERVER, { eval: true, workerData: { port, host: HOST, stopped } });
  await once(worker, 'message');
  const inBacklog: Socket[] = [];
  while (await fits(inBacklog));
  return {
    async [Symbol.asyncDispose]() {
      for (const socket of inBacklog) socket.destroy();
      Atomics.store(stopped, 0, 1);
      Atomics.notify(stopped, 0);
      await once(worker, 'exit');
    },
  };

  async function fits(sockets: Socket[]): Promise<boolean> {
    const socket = connect(port, HOST).on('error', () => {});
    sockets.push(socket);
    const isConnected = once(socket, 'connect').then(() => true);
    return Promise.race([
      isConnected,
      // After a turn of the event loop: a connection may have been made while the process waited.
      new Promise<false>((resolve) => setTimeout(() => setImmediate(resolve, false), 150)),
    ]);
  }
};

/** A server in a thread that is blocked until the test ends it. */
const BUSY_SERVER = `
const { parentPort, workerData: { port, host, stopped } } = require('node:worker_threads');
const server = require('node:net').createServer();
server.listen({ port, host, backlog: 1 }, () => {
  parentPort.postMessage('listening');
  setImmediate(() => {
    Atomics.wait(stopped, 0, 0);
    process.exit();
  });
});`;

export const plainHttp: ReplacementServer = (port) =>
  serve(
    createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n')),
    port,
  );

/** @param certificate signed by an issuer that the gateway does not trust */
export const untrustedTls: ReplacementServer = async (port) =>
  serve(createTlsServer(createCertificate()), port);

async function serve(server: Server, port: number): Promise<AsyncDisposable> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  server.on('tlsClientError', () => {});
  server.listen(port, HOST);
  await once(server, 'listening');
  return {
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A self-signed certificate for this machine. */
export function createCertificate(): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'faults-'));
  try {
    const [keyPath, certPath] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const subject = ['-subj', `/CN=${HOST}`, '-addext', `subjectAltName=IP:${HOST}`, '-days', '2'];
    const key = [
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-keyout',
      keyPath,
    ];
    execFileSync('openssl', ['req', '-x509', ...key, '-out', certPath, ...subject], {
      stdio: 'pipe',
    });
    return { key: readFileSync(keyPath, 'utf8'), cert: readFileSync(certPath, 'utf8') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
