import { createHmac } from 'node:crypto';
import type { CacheOwner, SecondTier, SecondTierEntry } from '#cache/second-tier.ts';
import { contractVersion as currentContract } from '#generated/contract-version.ts';
import { type BoundedRead, boundedRead } from '#redis/bounded-read.ts';
import { connectRedis, type RedisOptions } from '#redis/connect.ts';
import type { RedisConnection, ServerTime } from '#redis/redis-connection.ts';
import { withTimeout } from '#redis/with-timeout.ts';
import { createCredentialEpochs, EPOCH, EPOCH_TTL_MS } from './credential-epochs.ts';
import { createFlights, type FlightsOptions } from './flights.ts';
import { open, seal } from './seal.ts';

export interface RedisTierOptions extends RedisOptions {
  /**
   * Identifies the format of the responses. Releases with different formats use different Redis
   * keys.
   * @default the version of this release
   */
  readonly contractVersion?: string;
  /**
   * The clock by which the age of a response was determined, in ms. Another clock would make a
   * request seem to precede the epoch that was known when it was sent.
   * @default `now`
   */
  readonly wallNow?: () => number;
  /** A further value of the credential that each lookup reads in its round trip. @default none */
  readonly piggyback?: {
    readonly read: BoundedRead;
    toKey(fingerprint: string): string;
    receive(owner: CacheOwner, stored: Buffer, time: ServerTime): void;
  };
  /**
   * The connection for reads that no client waits for, and their time limit.
   * @default the connection and the time limit of all other reads
   */
  readonly background?: { readonly connection: RedisConnection; readonly timeoutMs: number };
  /** What single-flight over instances needs. @default each instance sends its own requests */
  readonly flights?: Pick<FlightsOptions, 'channel' | 'monotonicNow'>;
}

export interface RedisTier extends SecondTier {
  /**
   * Resolves when the writes for a credential that have begun until now are over, whether or not
   * they succeeded.
   */
  settled(fingerprint: string): Promise<void>;
}

/** The content of a sealed entry. */
interface Envelope extends SecondTierEntry {
  /** The epoch in which the request was sent. */
  readonly epoch: string;
  /** By Redis' clock, in ms. */
  readonly writtenAt: number;
  readonly ttlMs: number;
}

/**
 * Format version of an entry. It must be raised when `Envelope` changes, or when `request.parse`
 * returns another value for the same body.
 */
const FORMAT = 5;
const MAX_CONCURRENT_WRITES = 64;
/**
 * Maximum size of a sealed entry, in bytes: 17 ms at 1 Gbit/s. A larger entry could not be read
 * within the timeout, and would delay other reads.
 */
const MAX_SEALED_BYTES = 2 * 2 ** 20;
const ENTRY = boundedRead(MAX_SEALED_BYTES);

/**
 * Second tier in Redis, shared by all instances: entries are compressed, sealed with a key of the
 * credential, and stored under hashed keys. An entry expires when it can no longer be served.
 *
 * The age of an entry is its age when it was written, by the writer's clock, plus its time in
 * Redis, by Redis' clock. So the clocks of the instances may differ. The round trip is added as
 * uncertainty: a response never counts as younger than it is.
 */
export function createRedisTier({
  contractVersion = currentContract,
  piggyback,
  ...options
}: RedisTierOptions): RedisTier {
  const { timeoutMs, startTimer, wallNow = options.now } = options;
  const connection = connectRedis(options, () => epochs.flushRevocations());
  const foreground = { connection, timeoutMs };
  const { background = foreground } = options;
  /** While replies take longer than queries may wait, responses and revocations are still written. */
  const writerFor = (fingerprint: string) =>
    connection.isUp(fingerprint) ? connection : background.connection;
  const epochs = createCredentialEpochs(
    { send: (fingerprint, ...commands) => writerFor(fingerprint).send(fingerprint, ...commands) },
    wallNow,
  );
  const version = `${FORMAT}.${contractVersion}`;
  /**
   * The number of the latest write in flight for each Redis key. A number, not the entry: see
   * `InFlightSlot` in `single-flight.ts`.
   */
  const latestWriteByKey = new Map<string, number>();
  let writeCount = 0;
  /** The writes in progress, with the fingerprint of their credential. */
  const pendingWrites = new Map<Promise<void>, string>();

  async function readEntry(
    owner: CacheOwner,
    redisKey: string,
    { connection: reader }: { readonly connection: RedisConnection },
    claim?: (hasEntries: boolean) => void,
  ): Promise<SecondTierEntry | undefined> {
    const { fingerprint } = owner;
    if (epochs.isRevoked(fingerprint)) {
      void epochs.flushRevocations();
      return undefined;
    }
    const fence = epochs.takeFence();
    // A command for each key: while a slot of a cluster migrates, its keys are on two servers,
    // which reject a command for both.
    const reply = reader.query(
      fingerprint,
      ENTRY.toCommand(redisKey),
      EPOCH.toCommand(epochs.redisKeyOf(fingerprint)),
      ...(piggyback ? [piggyback.read.toCommand(piggyback.toKey(fingerprint))] : []),
    );
    // A command of its own, in the same round trip: a Redis that rejects writes still serves reads.
    claim?.(epochs.hasObserved(fingerprint));
    const replies = await reply;
    if (!replies) return undefined;
    const further = piggyback?.read.toValue(replies[2]);
    if (further) piggyback?.receive(owner, further, reader.time(fingerprint));
    const sealed = ENTRY.toValue(replies[0]);
    const observed = epochs.observe(fingerprint, EPOCH.toValue(replies[1])?.toString(), fence);
    // The first read of this process did not know yet whether the credential has entries.
    claim?.(epochs.hasObserved(fingerprint));
    if (!sealed || observed?.epoch === undefined) return undefined;
    const envelope = (await open(sealed, toSealingKey(owner), redisKey)) as Envelope | undefined;
    if (envelope?.epoch !== observed.epoch || !epochs.isCurrent(fingerprint, observed))
      return undefined;
    const residenceMs = reader.time(fingerprint).latest - envelope.writtenAt;
    // A negative value means that Redis' clock was set back: the age of the entry is unknown.
    if (!(residenceMs >= 0 && residenceMs < envelope.ttlMs)) return undefined;
    const { value, status, ageMs, freshForMs, isLive } = envelope;
    return { value, status, ageMs: ageMs + residenceMs, freshForMs, isLive };
  }

  async function writeEntry(
    owner: CacheOwner,
    key: string,
    entry: SecondTierEntry,
    ttlMs: number,
    writer: RedisConnection,
  ): Promise<void> {
    const writtenAt = writer.time(owner.fingerprint).earliest;
    const redisKey = toRedisKey(version, owner, key);
    writeCount += 1;
    const writeNumber = writeCount;
    latestWriteByKey.set(redisKey, writeNumber);
    try {
      const epoch = await epochs.epochAt(owner.fingerprint, wallNow() - entry.ageMs);
      if (epoch === undefined) return;
      const sealed = await seal(
        { ...entry, epoch, writtenAt, ttlMs } satisfies Envelope,
        toSealingKey(owner),
        redisKey,
      );
      // A later write may have finished sealing first.
      if (
        !sealed ||
        sealed.length > MAX_SEALED_BYTES ||
        latestWriteByKey.get(redisKey) !== writeNumber
      )
        return;
      await writer.send(
        owner.fingerprint,
        ['SET', redisKey, sealed, 'PX', String(Math.ceil(ttlMs))],
        ['PEXPIRE', epochs.redisKeyOf(owner.fingerprint), String(EPOCH_TTL_MS)],
      );
    } finally {
      if (latestWriteByKey.get(redisKey) === writeNumber) latestWriteByKey.delete(redisKey);
    }
  }

  async function settled(fingerprint: string): Promise<void> {
    const written = [...pendingWrites].filter(([, owner]) => owner === fingerprint);
    await Promise.all(written.map(([promise]) => promise));
  }

  const flights =
    options.flights && createFlights({ ...options.flights, connection, settled, startTimer });

  return {
    read(owner, key, isBackground = false) {
      const reader = isBackground ? background : foreground;
      // An unusable reply counts as a miss.
      return withTimeout(
        readEntry(owner, toRedisKey(version, owner, key), reader),
        reader.timeoutMs,
        startTimer,
      ).catch(() => undefined);
    },
    openFlight:
      flights &&
      ((owner, key, isAccepted) => {
        const redisKey = toRedisKey(version, owner, key);
        const flight = flights.open(owner.fingerprint, redisKey);
        const claim = (hasEntries: boolean) => {
          if (isAccepted || hasEntries) flight.claim();
        };
        const readAndClaim = async () => {
          const entry = await readEntry(owner, redisKey, foreground, claim);
          await flight.isClaimed();
          return entry;
        };
        return {
          read: () => withTimeout(readAndClaim(), timeoutMs, startTimer).catch(() => undefined),
          waitForOther: flight.waitForOther,
          end: flight.end,
        };
      }),
    write(owner, key, entry, ttlMs) {
      const writer = writerFor(owner.fingerprint);
      if (
        !writer.isUp(owner.fingerprint) ||
        pendingWrites.size >= MAX_CONCURRENT_WRITES ||
        !(ttlMs > 0)
      )
        return;
      const written = writeEntry(owner, key, entry, Math.min(ttlMs, EPOCH_TTL_MS), writer)
        // A value that JSON cannot represent is not stored.
        .catch(() => {})
        .finally(() => pendingWrites.delete(written));
      pendingWrites.set(written, owner.fingerprint);
    },
    settled,
    revoke({ fingerprint }, wasKnown) {
      // Only a credential that may have entries is revoked in Redis: keys that the upstream has
      // never accepted must not fill Redis, or the queue of pending revocations.
      if (wasKnown || epochs.hasObserved(fingerprint)) epochs.revoke(fingerprint);
    },
    close: async () => connection.close(),
  };
}

/**
 * The Redis key is an HMAC with a key of the credential: without the credential, the path can be
 * neither derived nor verified. The fingerprint is the hash tag of all keys of the credential.
 */
function toRedisKey(version: string, owner: CacheOwner, key: string): string {
  const requestHash = createHmac('sha256', owner.deriveKey('keys of cache entries'))
    .update(key)
    .digest('base64url');
  return `revox:${version}:{${owner.fingerprint}}:${requestHash}`;
}

function toSealingKey(owner: CacheOwner): Buffer {
  return owner.deriveKey('sealing of cache entries');
}
