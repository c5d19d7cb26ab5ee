import { connect, createServer, type Socket } from 'node:net';
import { listenOnFreePort } from './served-gateway.ts';

/**
 * A TCP proxy whose connections can freeze: it then reads nothing from either side, and keeps both
 * open. For each side the other one is a host that is gone without FIN or RST.
 */
export interface FreezingProxy extends AsyncDisposable {
  /** The same URL through the proxy. */
  toUrl(url: string): string;
  /** Freezes the connections that are open, and new ones. */
  freeze(): void;
  /** New connections are not frozen any more. */
  thaw(): void;
}

/** @param url the server behind the proxy */
export async function startFreezingProxy(url: string): Promise<FreezingProxy> {
  const target = Number(new URL(url).port);
  const open = new Set<Socket>();
  const frozen = new Set<Socket>();
  let isFrozen = false;
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ port: target, host: '127.0.0.1', allowHalfOpen: true });
    join(client, upstream);
    join(upstream, client);
  });
  const port = await listenOnFreePort(
    (free) =>
      new Promise<number>((resolve, reject) => {
        server.once('error', reject);
        server.listen(free, '127.0.0.1', () => resolve(free));
      }),
  );

  return {
    toUrl: (original) => original.replace(`:${target}`, `:${port}`),
    freeze() {
      isFrozen = true;
      for (const socket of open) {
        socket.unpipe();
        socket.pause();
        frozen.add(socket);
      }
    },
    thaw() {
      isFrozen = false;
    },
    async [Symbol.asyncDispose]() {
      frozen.clear();
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  function join(from: Socket, to: Socket): void {
    open.add(from);
    from.on('error', () => {});
    from.on('close', () => {
      open.delete(from);
      if (!frozen.has(from)) to.destroy();
    });
    if (isFrozen) frozen.add(from);
    else from.pipe(to);
  }
}
