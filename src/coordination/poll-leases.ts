import { createHmac, randomBytes } from 'node:crypto';
import { contractVersion } from '#generated/contract-version.ts';
import {
  CLAIM_SHARE,
  type Claim,
  type LeaseEvents,
  MAX_URGENT_INTERVAL_MS,
  type PollLeases,
} from '#live/poll-leases.ts';
import type { WatchTarget } from '#live/watch.ts';
import { boundedRead } from '#redis/bounded-read.ts';
import type { InstanceChannel } from '#redis/instance-channel.ts';
import type { Command, RedisConnection, Reply } from '#redis/redis-connection.ts';

export interface PollLeasesOptions {
  readonly connection: Pick<RedisConnection, 'query' | 'time'>;
  readonly channel: Pick<InstanceChannel, 'publish' | 'onMessage'>;
  /** Resolves when the responses of a credential that were read until now are in Redis. */
  readonly settled: (fingerprint: string) => Promise<void>;
  /** Names objects in messages of all credentials. All instances have the same. */
  readonly secret: string;
}

/** The topics of messages. The body of each is a name, which reveals nothing and is never data. */
const POLLED = 'polled';
const HINT = 'hint';

const INSTANCE_BYTES = 9;
/** JavaScript writes no number that a claim contains with more characters. */
const MAX_NUMBER_LENGTH = 25;
/** The instance in Base64, and two numbers, with spaces. */
const MAX_CLAIM_BYTES = (INSTANCE_BYTES / 3) * 4 + 2 * (1 + MAX_NUMBER_LENGTH);
const CLAIM = boundedRead(MAX_CLAIM_BYTES);

const ALONE: Claim = { outcome: 'alone', heldMs: 0, endsInMs: 0 };

/**
 * Leases of polls in Redis: a claim is a key that expires, so an instance that dies leaves nothing
 * behind. A claim and a message only decide who polls, and when. The state itself comes from the
 * upstream, or from an entry that is sealed with a key of the credential.
 */
export function createPollLeases(options: PollLeasesOptions): PollLeases {
  const { connection, channel, settled, secret } = options;
  const instance = randomBytes(INSTANCE_BYTES).toString('base64url');
  const byPolledName = new Listeners();
  const byHintName = new Listeners();
  const toHintName = (path: string) =>
    createHmac('sha256', `names of hints ${secret}`).update(path).digest('base64url');
  channel.onMessage(POLLED, (name) => {
    for (const { onPolled } of byPolledName.of(name)) onPolled();
  });
  channel.onMessage(HINT, (name) => {
    for (const { onHint } of byHintName.of(name)) onHint();
  });

  return {
    open(target, events) {
      const { fingerprint, path } = target;
      const name = toName(target, path);
      const hintName = toHintName(path);
      const key = toKey(fingerprint, name);
      byPolledName.add(name, events);
      byHintName.add(hintName, events);
      return {
        claim({ intervalMs, isUrgent }) {
          if (!isUrgent) return claim(fingerprint, key, intervalMs);
          // An urgent poll of any instance replaces the next ordinary poll of all instances.
          return claim(
            fingerprint,
            `${key}:urgent`,
            Math.min(intervalMs, MAX_URGENT_INTERVAL_MS),
            toSet(fingerprint, key, intervalMs),
          );
        },
        publish() {
          void settled(fingerprint).then(() => channel.publish(fingerprint, POLLED, name));
        },
        close() {
          byPolledName.delete(name, events);
          byHintName.delete(hintName, events);
        },
      };
    },
    claimPage: (target, name, intervalMs) =>
      claim(
        target.fingerprint,
        toKey(target.fingerprint, toName(target, `page ${name}`)),
        intervalMs,
      ),
    hint(path) {
      const name = toHintName(path);
      // Any server of a cluster forwards the message. The name distributes messages over the
      // servers.
      channel.publish(name, HINT, name);
    },
  };

  async function claim(
    fingerprint: string,
    key: string,
    intervalMs: number,
    ...further: Command[]
  ): Promise<Claim> {
    const replies = await connection.query(
      fingerprint,
      [...toSet(fingerprint, key, intervalMs), 'NX'],
      CLAIM.toCommand(key),
      ...further,
    );
    return replies ? toClaim(replies, connection.time(fingerprint).latest) : ALONE;
  }

  function toSet(fingerprint: string, key: string, intervalMs: number): Command {
    const claimMs = String(Math.ceil(CLAIM_SHARE * intervalMs));
    const { latest: claimedAt } = connection.time(fingerprint);
    return ['SET', key, `${instance} ${claimMs} ${claimedAt}`, 'PX', claimMs];
  }
}

/**
 * Without the credential, the path can be neither derived nor verified. Releases that cannot read
 * each other's responses do not share claims.
 */
function toName({ deriveKey }: WatchTarget, path: string): string {
  return createHmac('sha256', deriveKey?.(`names of polls ${contractVersion}`) ?? randomBytes(32))
    .update(path)
    .digest('base64url');
}

function toKey(fingerprint: string, name: string): string {
  return `revox:claim:{${fingerprint}}:${name}`;
}

/**
 * Anyone who can write to the Redis may have written the value.
 * @param now by Redis' clock, in ms
 */
function toClaim([set, stored]: readonly Reply[], now: number): Claim {
  if (set !== null && set !== undefined) return { outcome: 'won', heldMs: 0, endsInMs: 0 };
  // The claim may just have expired.
  const [, claimMs, claimedAt] = String(CLAIM.toValue(stored) ?? '')
    .split(' ')
    .map(Number);
  const heldMs = Math.max(0, now - (claimedAt ?? Number.NaN));
  const endsInMs = Math.max(0, (claimMs ?? Number.NaN) - heldMs);
  return Number.isNaN(endsInMs)
    ? { outcome: 'lost', heldMs: Number.POSITIVE_INFINITY, endsInMs: 0 }
    : { outcome: 'lost', heldMs, endsInMs };
}

/** The leases of each name: several credentials may watch the same object. */
class Listeners {
  readonly #byName = new Map<string, Set<LeaseEvents>>();

  of(name: string): readonly LeaseEvents[] {
    return [...(this.#byName.get(name) ?? [])];
  }

  add(name: string, events: LeaseEvents): void {
    this.#byName.set(name, (this.#byName.get(name) ?? new Set()).add(events));
  }

  delete(name: string, events: LeaseEvents): void {
    const listeners = this.#byName.get(name);
    listeners?.delete(events);
    if (listeners?.size === 0) this.#byName.delete(name);
  }
}
