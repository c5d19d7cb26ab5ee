import { expect, test } from 'vitest';
import { parseSlotRanges, toSlot } from '#redis/cluster-slots.ts';
import { toRedirection } from '#redis/redirection.ts';

test('The slot of a hash tag is its CRC-16 as the cluster specification defines it', () => {
  // `123456789` is the check value of CRC-16/XMODEM: 0x31c3.
  expect(toSlot('123456789')).toBe(0x31c3 % 16_384);
  expect(toSlot('')).toBe(0);
});

test('Slot ranges have the address of the node that replied where that node knows no address', () => {
  const node = (host: unknown, port: number) => [host, port, 'id', []];
  const reply = [
    [0, 99, node('10.0.0.1', 6379), node('10.0.0.2', 6379)],
    [100, 199, node('', 6380)],
    [200, 299, node(null, 6381), node('?', 6382)],
    [300, 16_383, node('::1', 6379)],
  ];
  expect(parseSlotRanges(reply, 'seed.test')).toEqual([
    {
      first: 0,
      last: 99,
      master: { host: '10.0.0.1', port: '6379' },
      replicas: [{ host: '10.0.0.2', port: '6379' }],
    },
    { first: 100, last: 199, master: { host: 'seed.test', port: '6380' }, replicas: [] },
    {
      first: 200,
      last: 299,
      master: { host: 'seed.test', port: '6381' },
      replicas: [{ host: 'seed.test', port: '6382' }],
    },
    { first: 300, last: 16_383, master: { host: '::1', port: '6379' }, replicas: [] },
  ]);
});

test.each([
  'OK',
  null,
  [],
  [[]],
  [[0, 99]],
  [['0', '99', ['h', 1]]],
  [[0, 16_384, ['h', 1]]],
  [[-1, 5, ['h', 1]]],
  [[0, 5, 'h']],
])('A reply that names no master has no slot ranges: %j', (reply) => {
  expect(parseSlotRanges(reply, 'seed.test')).toEqual([]);
});

test.each([
  ['MOVED 3999 10.0.0.1:6381', { slot: 3999, host: '10.0.0.1', port: '6381', isAsk: false }],
  ['ASK 3999 node.test:6381', { slot: 3999, host: 'node.test', port: '6381', isAsk: true }],
  ['MOVED 1 ::1:6381', { slot: 1, host: '::1', port: '6381', isAsk: false }],
  ['MOVED 1 :6381', { slot: 1, host: '', port: '6381', isAsk: false }],
])('%s is a redirection', (message, { slot, host, port, isAsk }) => {
  expect(toRedirection(new Error(message))).toMatchObject({ slot, address: { host, port }, isAsk });
});

test('A slot without a master leads nowhere, and other errors are no redirections', () => {
  expect(toRedirection(new Error('CLUSTERDOWN Hash slot not served'))).toMatchObject({
    address: undefined,
  });
  for (const message of ['CLUSTERDOWN The cluster is down', 'OOM', 'MOVED', 'ERR MOVED 1 h:1'])
    expect(toRedirection(new Error(message))).toBeUndefined();
  expect(toRedirection('MOVED 1 h:1')).toBeUndefined();
});
