import { GatewayError } from '#errors/gateway-error.ts';
import type { LiveEvents } from './live-events.ts';
import type { Subscriber } from './subscriptions.ts';

export interface SubscriptionSlotsOptions {
  readonly maxSubscriptions: number;
  readonly maxSubscriptionsPerCaller: number;
  readonly events: Pick<LiveEvents, 'onRefused'>;
}

/** A subscription exceeds a limit. */
export class TooManySubscriptionsError extends GatewayError {
  /** Whether the limit is that of the whole gateway, and not that of the caller. */
  readonly isGatewayFull: boolean;

  constructor(setting: 'MAX_SUBSCRIPTIONS' | 'MAX_SUBSCRIPTIONS_PER_CALLER') {
    const isGatewayFull = setting === 'MAX_SUBSCRIPTIONS';
    const subject = isGatewayFull ? 'This gateway has' : 'This caller has';
    super('RATE_LIMITED', `${subject} too many open subscriptions (${setting}).`, {
      retryAfter: RETRY_AFTER_S,
    });
    this.isGatewayFull = isGatewayFull;
  }
}

const RETRY_AFTER_S = 5;

interface Slot {
  readonly subscriber: Pick<Subscriber, 'owner' | 'isCredentialAccepted'>;
  owner: string;
}

/** Limits the open subscriptions, in total and for each caller. */
export class SubscriptionSlots {
  /** Open subscriptions, by what the metrics count them by. */
  readonly counts = new Map<string, number>();
  readonly #options: SubscriptionSlotsOptions;
  readonly #slots = new Set<Slot>();
  /**
   * Slots of callers whose credential is not accepted yet. All of these callers are one owner, so
   * they are at most `maxSubscriptionsPerCaller`.
   */
  readonly #unaccepted = new Set<Slot>();
  readonly #byOwner = new Map<string, number>();

  constructor(options: SubscriptionSlotsOptions) {
    this.#options = options;
  }

  /**
   * @param owner undefined: not known yet
   * @throws TooManySubscriptionsError if there is no slot
   */
  check(owner: string | undefined): void {
    const { maxSubscriptions, maxSubscriptionsPerCaller } = this.#options;
    this.#updateOwners();
    if (this.#slots.size >= maxSubscriptions) throw this.#refuse('MAX_SUBSCRIPTIONS');
    if (owner !== undefined && (this.#byOwner.get(owner) ?? 0) >= maxSubscriptionsPerCaller)
      throw this.#refuse('MAX_SUBSCRIPTIONS_PER_CALLER');
  }

  /**
   * Takes a slot. Returns the function that releases it.
   * @throws TooManySubscriptionsError
   */
  acquire(subscriber: Slot['subscriber'], label: string): () => void {
    const owner = subscriber.owner();
    this.check(owner);
    const slot: Slot = { subscriber, owner };
    this.#slots.add(slot);
    if (!subscriber.isCredentialAccepted()) this.#unaccepted.add(slot);
    add(this.#byOwner, owner, 1);
    add(this.counts, label, 1);
    return () => {
      if (!this.#slots.delete(slot)) return;
      this.#unaccepted.delete(slot);
      add(this.#byOwner, slot.owner, -1);
      add(this.counts, label, -1);
    };
  }

  /** A caller whose credential was accepted since its slot was taken is an owner of its own. */
  #updateOwners(): void {
    for (const slot of this.#unaccepted) {
      if (!slot.subscriber.isCredentialAccepted()) continue;
      this.#unaccepted.delete(slot);
      add(this.#byOwner, slot.owner, -1);
      slot.owner = slot.subscriber.owner();
      add(this.#byOwner, slot.owner, 1);
    }
  }

  #refuse(setting: 'MAX_SUBSCRIPTIONS' | 'MAX_SUBSCRIPTIONS_PER_CALLER'): GatewayError {
    this.#options.events.onRefused(setting);
    return new TooManySubscriptionsError(setting);
  }
}

function add(counts: Map<string, number>, key: string, amount: number): void {
  const count = (counts.get(key) ?? 0) + amount;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
