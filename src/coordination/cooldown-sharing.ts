import { boundedRead } from '#redis/bounded-read.ts';
import type { InstanceChannel } from '#redis/instance-channel.ts';
import type { RedisConnection, ServerTime } from '#redis/redis-connection.ts';
import { withTimeout } from '#redis/with-timeout.ts';
import type { LocalLimits, SharedLimits } from '#rest/resilience/limit-sharing.ts';
import type { KnownOwners } from './known-owners.ts';
import { isSigned, type Signer, sign } from './signature.ts';

/** The cooldowns of all instances: see `SharedLimits`. */
export interface SharedCooldowns
  extends Pick<SharedLimits, 'onCooldown' | 'canProbe' | 'onProbingEnd'> {
  /**
   * Applies what Redis stores under `toCooldownKey`: a signed cooldown, or anything else.
   * @param time by the clock of the Redis server that stores it
   */
  receive(owner: Signer, stored: Buffer, time: ServerTime): void;
}

export interface SharedCooldownsOptions {
  readonly connection: Pick<RedisConnection, 'send' | 'isUp' | 'time'>;
  readonly channel: Pick<InstanceChannel, 'publish' | 'onMessage'>;
  readonly knownOwners: KnownOwners;
  readonly local: Pick<LocalLimits, 'applyCooldown' | 'cooldownMs' | 'reevaluate'>;
  /** A monotonic clock for durations, in ms. */
  readonly monotonicNow: () => number;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
}

/** A message with this topic names the credential whose cooldown has changed in Redis. */
const TOPIC = 'cooldown';
/**
 * How long the key outlives its cooldown, in ms, as instances do with their own: until then, the
 * next request is a probe.
 */
const PROBE_WINDOW_MS = 60_000;
/** The claim of a probe expires after this time, in ms, because its instance may have died. */
const CLAIM_TTL_MS = 5_000;
/** How often an instance without the claim tries again, in ms. A message makes it try at once. */
const CLAIM_RETRY_MS = 500;
/** How long an instance waits for the probe of another one, in ms, before it sends its own. */
const MAX_CLAIM_WAIT_MS = 5_000;
/** How long a probe waits for the reply of Redis, in ms. */
const CLAIM_TIMEOUT_MS = 500;

/** The longest cooldown of an instance, and the uncertainty of the time, in ms. */
const MAX_COOLDOWN_MS = 300_000 + 10_000;

/** The end of a cooldown by Redis' clock, in ms, and its signature. */
const VALUE = /^(\d{1,16})\.([\w-]{43})$/;
const MAX_VALUE_BYTES = 60;
/** Reads the cooldown of a credential. */
export const COOLDOWN = boundedRead(MAX_VALUE_BYTES);

/**
 * Whether this instance may probe. Undecided until Redis has replied, or while another instance has
 * the claim.
 */
interface ProbeClaim {
  readonly since: number;
  isGranted: boolean;
  isPending: boolean;
  cancelRetry: () => void;
}

/**
 * Redis stores the end of each cooldown by its own clock, signed with a key of the credential. A
 * message makes the other instances read it; an instance that has missed the message reads it with
 * its next lookup in the shared cache. After the cooldown, one instance claims the probe.
 *
 * An instance never ends a cooldown because of what Redis stores. Without Redis, each instance has
 * its own cooldowns and probes.
 */
export function createSharedCooldowns(options: SharedCooldownsOptions): SharedCooldowns {
  const { connection, channel, knownOwners, local, monotonicNow, startTimer } = options;
  /** As many as the instance has cooldowns. */
  const claims = new Map<string, ProbeClaim>();
  /** The credentials whose cooldown is being read; true if it must be read again after that. */
  const reads = new Map<string, boolean>();

  channel.onMessage(TOPIC, (fingerprint) => {
    const owner = knownOwners.get(fingerprint);
    if (!owner) return;
    const claim = claims.get(fingerprint);
    if (claim && !claim.isGranted) void tryClaim(owner, claim);
    else void read(owner);
  });

  return {
    receive,
    onCooldown(fingerprint, remainingMs) {
      dropClaim(fingerprint);
      const owner = knownOwners.get(fingerprint);
      if (owner && connection.isUp(fingerprint)) void store(owner, remainingMs);
    },
    canProbe(fingerprint) {
      const claim = claims.get(fingerprint);
      if (claim) return claim.isGranted;
      const owner = knownOwners.get(fingerprint);
      if (!owner || !connection.isUp(fingerprint)) return true;
      const newClaim: ProbeClaim = {
        since: monotonicNow(),
        isGranted: false,
        isPending: false,
        cancelRetry() {},
      };
      claims.set(fingerprint, newClaim);
      void tryClaim(owner, newClaim);
      return false;
    },
    onProbingEnd(fingerprint, hasPassed) {
      dropClaim(fingerprint);
      const owner = knownOwners.get(fingerprint);
      if (owner && hasPassed) void remove(owner);
    },
  };

  function receive(owner: Signer, stored: Buffer, time: ServerTime): void {
    const end = open(owner, stored, time);
    if (end !== undefined) apply(owner, end, time);
  }

  /** The end of a cooldown by Redis' clock, in ms; undefined if the value does not count. */
  function open(
    owner: Signer,
    stored: Buffer | undefined,
    { latest } = connection.time(owner.fingerprint),
  ): number | undefined {
    const end = stored && verify(owner, stored);
    // No cooldown is longer: the clock of Redis was set back, and the value would count until then.
    return end !== undefined && end - latest <= MAX_COOLDOWN_MS ? end : undefined;
  }

  /** @returns whether the credential is in a cooldown now */
  function apply(
    { fingerprint }: Signer,
    end: number,
    { earliest, latest } = connection.time(fingerprint),
  ): boolean {
    // The two times differ by the latest round trip. Within it, the cooldown is the known one.
    if (end - latest > local.cooldownMs(fingerprint)) {
      dropClaim(fingerprint);
      local.applyCooldown(fingerprint, end - earliest);
    }
    return local.cooldownMs(fingerprint) > 0;
  }

  async function store(owner: Signer, remainingMs: number): Promise<void> {
    const { fingerprint } = owner;
    const key = toCooldownKey(fingerprint);
    const end = Math.ceil(connection.time(fingerprint).latest + remainingMs);
    const value = `${end}.${sign(owner, toText(end))}`;
    const ttl = ['PX', String(Math.ceil(remainingMs + PROBE_WINDOW_MS))];
    const replies = await connection.send(
      fingerprint,
      ['SET', key, value, 'NX', ...ttl],
      COOLDOWN.toCommand(key),
      ['DEL', toClaimKey(fingerprint)],
    );
    if (!replies) return;
    // The longest cooldown counts. If two instances write at once, the shorter one may be stored:
    // then a third instance sends its probe earlier.
    const stored = open(owner, COOLDOWN.toValue(replies[1]));
    if (stored === undefined || stored < end) {
      if (!(await connection.send(fingerprint, ['SET', key, value, ...ttl]))) return;
    } else if (stored > end) apply(owner, stored);
    channel.publish(fingerprint, TOPIC, fingerprint);
  }

  /** Removes the cooldown that a probe has shown to be over, unless another one has begun. */
  async function remove(owner: Signer): Promise<void> {
    const { fingerprint } = owner;
    const key = toCooldownKey(fingerprint);
    const replies = await connection.send(fingerprint, COOLDOWN.toCommand(key));
    const end = open(owner, COOLDOWN.toValue(replies?.[0]));
    if (end === undefined || apply(owner, end)) return;
    await connection.send(fingerprint, ['DEL', key], ['DEL', toClaimKey(fingerprint)]);
    channel.publish(fingerprint, TOPIC, fingerprint);
  }

  async function read(owner: Signer): Promise<void> {
    const { fingerprint } = owner;
    if (reads.has(fingerprint)) {
      reads.set(fingerprint, true);
      return;
    }
    do {
      reads.set(fingerprint, false);
      const replies = await connection.send(
        fingerprint,
        COOLDOWN.toCommand(toCooldownKey(fingerprint)),
      );
      const stored = COOLDOWN.toValue(replies?.[0]);
      if (stored) receive(owner, stored, connection.time(fingerprint));
    } while (reads.get(fingerprint));
    reads.delete(fingerprint);
  }

  async function tryClaim(owner: Signer, claim: ProbeClaim): Promise<void> {
    if (claim.isPending) return;
    claim.isPending = true;
    claim.cancelRetry();
    const { fingerprint } = owner;
    const replies = await withTimeout(
      connection.send(fingerprint, COOLDOWN.toCommand(toCooldownKey(fingerprint)), [
        'SET',
        toClaimKey(fingerprint),
        '',
        'NX',
        'PX',
        String(CLAIM_TTL_MS),
      ]),
      CLAIM_TIMEOUT_MS,
      startTimer,
    );
    claim.isPending = false;
    if (claims.get(fingerprint) !== claim) return;
    const end = open(owner, COOLDOWN.toValue(replies?.[0]));
    const hasClaimed = replies !== undefined && replies[1] !== null;
    if (end !== undefined && apply(owner, end)) {
      dropClaim(fingerprint);
      if (hasClaimed) void connection.send(fingerprint, ['DEL', toClaimKey(fingerprint)]);
      return;
    }
    // Without a cooldown in Redis, the probe of another instance has passed, or Redis has lost its
    // data.
    const hasWaited = monotonicNow() - claim.since >= MAX_CLAIM_WAIT_MS;
    if (end === undefined || hasClaimed || hasWaited) {
      claim.isGranted = true;
      local.reevaluate(fingerprint);
    } else claim.cancelRetry = startTimer(CLAIM_RETRY_MS, () => void tryClaim(owner, claim));
  }

  function dropClaim(fingerprint: string): void {
    claims.get(fingerprint)?.cancelRetry();
    claims.delete(fingerprint);
  }
}

/** The Redis key of a credential's cooldown, with the fingerprint as hash tag. */
export function toCooldownKey(fingerprint: string): string {
  return `revox:cooldown:{${fingerprint}}`;
}

function toClaimKey(fingerprint: string): string {
  return `revox:probe-claim:{${fingerprint}}`;
}

/** The end of a cooldown by Redis' clock, in ms; undefined if the value is not signed. */
function verify(owner: Signer, stored: Buffer): number | undefined {
  const [, end, signature = ''] = VALUE.exec(stored.toString()) ?? [];
  return end !== undefined && isSigned(owner, toText(end), signature) ? Number(end) : undefined;
}

function toText(end: string | number): string {
  return `${TOPIC} ${end}`;
}
