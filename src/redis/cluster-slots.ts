import type { ServerAddress } from './query-server.ts';

export const SLOT_COUNT = 16_384;

/** The slots from the first to the last are served by this master. */
export interface SlotRange {
  readonly first: number;
  readonly last: number;
  readonly master: ServerAddress;
  readonly replicas: readonly ServerAddress[];
}

/** The slot of all keys with this hash tag: CRC-16/XMODEM modulo the number of slots. */
export function toSlot(hashTag: string): number {
  let crc = 0;
  for (const byte of Buffer.from(hashTag)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1)
      crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
  }
  return crc % SLOT_COUNT;
}

/**
 * Reads a reply to `CLUSTER SLOTS`.
 * @param host the host of the node that replied: it replaces each host that the reply does not name
 */
export function parseSlotRanges(reply: unknown, host: string): SlotRange[] {
  if (!Array.isArray(reply)) return [];
  return reply.flatMap((range: unknown) => {
    const [first, last, ...nodes] = Array.isArray(range) ? range : [];
    const [master, ...replicas] = nodes.flatMap((node) => toAddress(node, host));
    return isSlot(first) && isSlot(last) && master ? [{ first, last, master, replicas }] : [];
  });
}

function isSlot(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) < SLOT_COUNT;
}

function toAddress(node: unknown, knownHost: string): ServerAddress[] {
  if (!Array.isArray(node)) return [];
  const [host, port] = node;
  // A node with an unknown name has the name `?`.
  const isKnown = typeof host === 'string' && host !== '' && host !== '?';
  return [{ host: isKnown ? host : knownHost, port: String(port) }];
}
