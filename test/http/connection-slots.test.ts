import { expect, test } from 'vitest';
import {
  createConnectionLimiter,
  type EvictableConnection,
  toPeer,
} from '#http/limits/connection-limiter.ts';

const LIMIT_SETTING = 'MAX_CONNECTIONS';

function createLimitScene({
  maxConnections = 8,
  maxConnectionsPerPeer = Number.POSITIVE_INFINITY,
} = {}) {
  let now = 0;
  const closed: string[] = [];
  const limiter = createConnectionLimiter({
    maxConnections,
    maxConnectionsPerPeer,
    monotonicNow: () => now,
  });
  return {
    limiter,
    closed,
    pass(ms: number): void {
      now += ms;
    },
    /** Opens a connection. Returns it and the setting that it exceeds, if any. */
    open(name: string, peer = 'peer') {
      const connection = {
        peer,
        idleSince: now as number | undefined,
        close: () => closed.push(name),
      };
      const excess = limiter.add(connection satisfies EvictableConnection);
      return {
        excess,
        request() {
          limiter.markUsed(connection);
          connection.idleSince = undefined;
        },
        finish() {
          connection.idleSince = now;
        },
        leave: () => limiter.remove(connection),
      };
    },
  };
}

test('connections without a request stay open while slots are free, regardless of their age', () => {
  const { open, pass, closed } = createLimitScene();
  for (let n = 0; n < 6; n += 1) {
    open(`${n}`);
    pass(60_000);
  }
  expect(closed).toEqual([]);
});

test('when three quarters of the slots are taken, connections that are silent for a second are closed, the oldest first', () => {
  const { open, pass, closed } = createLimitScene();
  for (let n = 0; n < 6; n += 1) open(`${n}`);
  pass(999);
  open('6');
  expect(closed).toEqual([]);
  pass(1);
  expect(open('7').excess).toBeUndefined();
  expect(closed).toEqual(['0', '1']);
});

test('when no slot is free, the oldest connection without a request is closed for the next one', () => {
  const { open, pass, closed } = createLimitScene();
  for (let n = 0; n < 8; n += 1) open(`${n}`).request();
  const silent = createLimitScene();
  for (let n = 0; n < 8; n += 1) silent.open(`${n}`);
  silent.pass(250);
  expect(silent.open('next').excess).toBeUndefined();
  expect(silent.closed).toEqual(['0']);

  pass(250);
  expect(open('next').excess).toBe(LIMIT_SETTING);
  expect(closed).toEqual([]);
});

test('two thousand silent connections that are reopened whenever they are closed keep a client out for at most a second', () => {
  const { open, pass } = createLimitScene({ maxConnections: 2_000 });
  for (let n = 0; n < 2_010; n += 1) open(`${n}`);
  expect(open('client').excess).toBe(LIMIT_SETTING);
  pass(1_000);
  for (let n = 0; n < 100; n += 1) {
    for (let again = 0; again < 10; again += 1) open(`again ${n} ${again}`);
    pass(1);
    const client = open('client');
    expect(client.excess).toBeUndefined();
    client.request();
  }
});

test('when no silent connection is left, idle ones are closed, the longest idle first, and none with an in-flight request', () => {
  const { open, pass, closed } = createLimitScene();
  const connections = Array.from({ length: 8 }, (_, n) => open(`${n}`));
  for (const connection of connections) connection.request();
  for (const n of [5, 3, 1]) {
    connections[n]?.finish();
    pass(10);
  }
  expect(open('early').excess).toBe(LIMIT_SETTING);
  pass(1_000);
  expect(open('next').excess).toBeUndefined();
  expect(closed).toEqual(['early', '5', '3']);
});

test('a closed connection frees its slot', () => {
  const { open } = createLimitScene({ maxConnections: 1 });
  for (let n = 0; n < 5; n += 1) {
    const connection = open(`${n}`);
    expect(connection.excess).toBeUndefined();
    connection.request();
    connection.leave();
    connection.leave();
  }
});

test('the limit of one address closes silent connections of that address first', () => {
  const { open, pass, closed } = createLimitScene({
    maxConnections: 100,
    maxConnectionsPerPeer: 2,
  });
  open('other', 'other');
  open('a1', 'a').request();
  const second = open('a2', 'a');
  expect(open('a3', 'a').excess).toBe('MAX_CONNECTIONS_PER_ADDRESS');
  expect(open('b', 'b').excess).toBeUndefined();
  pass(250);
  second.leave();
  expect(open('a4', 'a').excess).toBeUndefined();
  expect(closed).toEqual(['a3']);
});

test('the limit of one address closes idle connections of that address, the longest idle first', () => {
  const { open, pass, closed } = createLimitScene({
    maxConnections: 100,
    maxConnectionsPerPeer: 4,
  });
  const other = open('other', 'other');
  other.request();
  other.finish();
  for (const name of ['a1', 'a2', 'a3', 'a4']) {
    const connection = open(name, 'a');
    connection.request();
    if (name !== 'a4') connection.finish();
    pass(10);
  }
  expect(open('early', 'a').excess).toBe('MAX_CONNECTIONS_PER_ADDRESS');
  pass(1_000);
  expect(open('next', 'a').excess).toBeUndefined();
  expect(closed).toEqual(['early', 'a1']);
});

test('an address at its limit does not delay that idle connections are closed at the total limit', () => {
  const { open, pass, closed } = createLimitScene({ maxConnections: 8, maxConnectionsPerPeer: 4 });
  for (const name of ['a1', 'a2', 'a3', 'a4']) open(name, 'a').request();
  for (const peer of ['b', 'c', 'd', 'e']) {
    const connection = open(peer, peer);
    connection.request();
    connection.finish();
  }
  pass(1_000);
  expect(open('a5', 'a').excess).toBeDefined();
  expect(open('next', 'f').excess).toBeUndefined();
  expect(closed).toContain('b');
});

test.each([
  ['127.0.0.1', '127.0.0.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8:1:2::1', '2001:db8:1:2'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['', ''],
])('the address %s is counted as the peer "%s"', (address, peer) => {
  expect(toPeer(address)).toBe(peer);
});

test('a peer whose only connection is evicted for its next one is still counted', () => {
  const { open, pass, closed } = createLimitScene({ maxConnectionsPerPeer: 1 });
  open('first');
  pass(250);
  open('second').request();
  expect(closed).toEqual(['first']);
  expect(open('third').excess).toBe('MAX_CONNECTIONS_PER_ADDRESS');
});
