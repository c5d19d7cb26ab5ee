/** Items of several owners: the owners take turns, and each is served in the order of arrival. */
export interface RoundRobin<Item> {
  push(owner: string, item: Item): void;
  /** Takes the next item of the owner whose turn it is, of those that may go; undefined: there is none. */
  take(mayGo?: (owner: string) => boolean): Item | undefined;
  /** Owners that have items, in the order of their turns. */
  owners(): Iterable<string>;
}

export function createRoundRobin<Item>(): RoundRobin<Item> {
  /** The first of them is the next. */
  const lanes = new Map<string, Item[]>();

  return {
    push(owner, item) {
      const lane = lanes.get(owner);
      if (lane) lane.push(item);
      else lanes.set(owner, [item]);
    },
    take(mayGo = () => true) {
      for (const [owner, lane] of lanes) {
        if (!mayGo(owner)) continue;
        const item = lane.shift();
        // Behind all others.
        lanes.delete(owner);
        if (lane.length > 0) lanes.set(owner, lane);
        return item;
      }
      return undefined;
    },
    owners: () => lanes.keys(),
  };
}
