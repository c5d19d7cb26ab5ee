/** Items of several owners: the owners take turns, and each is served in the order of arrival. */
export interface FairQueue<Item> {
  enqueue(owner: string, item: Item): void;
  /** Takes the next item of the owner whose turn it is, of those that may go; undefined: there is none. */
  dequeue(isEligible?: (owner: string) => boolean): Item | undefined;
  /** Owners that have items, in the order of their turns. */
  owners(): Iterable<string>;
}

export function createFairQueue<Item>(): FairQueue<Item> {
  /** The first of them is the next. */
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
        // Behind all others.
        queues.delete(owner);
        if (queue.length > 0) queues.set(owner, queue);
        return item;
      }
      return undefined;
    },
    owners: () => queues.keys(),
  };
}
