/**
 * A fair queue: the owners of items take turns (round-robin), and the items of an owner leave in
 * the order of their arrival.
 */
export interface FairQueue<Item> {
  enqueue(owner: string, item: Item): void;
  /** Takes the next item of the first eligible owner. Undefined if there is none. */
  dequeue(isEligible?: (owner: string) => boolean): Item | undefined;
  /** Owners with items, in the order of their turns. */
  owners(): Iterable<string>;
}

export function createFairQueue<Item>(): FairQueue<Item> {
  /** The first owner is the next. */
  const queues = new Map<string, Item[]>();

  return {
    enqueue(owner, item) {
      const queue = queues.get(owner);
      if (queue) queue.push(item);
      else queues.set(owner, [item]);
    },
    dequeue(isEligible = () => true) {
      for (const [owner, queue] of queues) {
        if (!isEligible(owner)) continue;
        const item = queue.shift();
        // Re-queue the owner behind all others.
        queues.delete(owner);
        if (queue.length > 0) queues.set(owner, queue);
        return item;
      }
      return undefined;
    },
    owners: () => queues.keys(),
  };
}
