import type { ServerAddress } from './query-server.ts';

/** The reply of a node of a cluster that does not serve the slot of a command. */
export class Redirection {
  readonly slot: number;
  /** The node that serves the command. Undefined if no node serves the slot. */
  readonly address: ServerAddress | undefined;
  /**
   * Whether the slot is migrating. The node at `address` then serves this command, but only after
   * `ASKING`.
   */
  readonly isAsk: boolean;

  constructor(slot: number, address: ServerAddress | undefined, isAsk: boolean) {
    this.slot = slot;
    this.address = address;
    this.isAsk = isAsk;
  }
}

const REDIRECTION = /^(MOVED|ASK) (\d+) (.*):(\d+)$/;
const NOT_SERVED = /^CLUSTERDOWN Hash slot not served/;

/** @returns undefined if the error is not a redirection */
export function toRedirection(error: unknown): Redirection | undefined {
  if (!(error instanceof Error)) return undefined;
  const [, kind, slot, host = '', port = ''] = REDIRECTION.exec(error.message) ?? [];
  if (kind !== undefined) return new Redirection(Number(slot), { host, port }, kind === 'ASK');
  return NOT_SERVED.test(error.message) ? new Redirection(-1, undefined, false) : undefined;
}
