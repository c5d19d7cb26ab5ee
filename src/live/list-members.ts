import { isListUsed, type ListState } from './list-polls.ts';
import { type HeapItem, MinHeap } from './min-heap.ts';
import type { Watch } from './watch.ts';

/** A watched object in the index of a credential. */
export interface Member extends HeapItem {
  readonly watch: Watch;
  /** The list that embeds it. */
  listKey: string | undefined;
  isKnown: boolean;
  /** Polls a second that its interval demands of this instance. */
  demand: number;
}

/** The watched objects that one list embeds. */
export interface MembersOfList {
  /** The one with the shortest interval is the first. */
  readonly members: MinHeap<Member>;
  /** Polls a second that their intervals demand of this instance, if each is polled singly. */
  demand: number;
}

/**
 * The watched objects of one credential, by the list that embeds them. It is kept up to date with
 * each reading, so that no poll has to look at all objects.
 */
export class ListMembers {
  /** Objects without a reading, the oldest one first. */
  readonly unread = new Set<Watch>();
  /** Objects that have a reading and are not over. */
  known = 0;
  readonly #lists = new Map<string, MembersOfList>();
  /** Of the objects that are in no list. */
  #demand = 0;
  #size = 0;

  get(key: string): MembersOfList | undefined {
    return this.#lists.get(key);
  }

  keys(): Iterable<string> {
    return this.#lists.keys();
  }

  add(watch: Watch): Member {
    const member: Member = {
      watch,
      listKey: undefined,
      isKnown: false,
      demand: 0,
      heapKey: Number.POSITIVE_INFINITY,
      heapOrder: 0,
      heapIndex: -1,
    };
    this.#size += 1;
    return member;
  }

  update(member: Member): void {
    const { watch } = member;
    const { reading, listKey, intervalMs, furtherRequests } = watch;
    if (reading || !watch.target.openList) this.unread.delete(watch);
    else this.unread.add(watch);
    this.#setKnown(member, reading !== undefined && !reading.state.isOver);
    const isOwn = watch.lease?.isIncumbent !== false || watch.failures > 0;
    const isDemanding = isOwn && Number.isFinite(watch.dueAt);
    const demand = isDemanding ? ((1 + furtherRequests) * 1000) / intervalMs : 0;
    if (listKey === undefined && member.listKey === undefined) {
      this.#demand += demand - member.demand;
      member.demand = demand;
      return;
    }
    if (listKey !== member.listKey) this.#leave(member);
    member.listKey = listKey;
    if (listKey === undefined) {
      this.#demand += demand;
    } else {
      const list = this.#lists.get(listKey) ?? { members: new MinHeap<Member>(), demand: 0 };
      this.#lists.set(listKey, list);
      if (member.heapKey !== intervalMs || member.heapIndex < 0)
        list.members.set(member, intervalMs);
      list.demand += demand - member.demand;
    }
    member.demand = demand;
  }

  remove(member: Member): void {
    this.unread.delete(member.watch);
    this.#setKnown(member, false);
    this.#leave(member);
    this.#size -= 1;
    // The sum of many differences is not exact.
    if (this.#size === 0) this.#demand = 0;
  }

  /**
   * Polls a second that the intervals of all objects demand of this instance. A list that is polled
   * instead of its objects demands its pages. What another instance has polled demands nothing.
   */
  demand(lists: ReadonlyMap<string, ListState>): number {
    let demand = this.#demand;
    for (const [key, { members, demand: demandOfMembers }] of this.#lists) {
      const list = lists.get(key);
      const { first } = members;
      demand +=
        list && first && isListUsed(list)
          ? (list.requests * 1000) / first.heapKey
          : demandOfMembers;
    }
    return demand;
  }

  #leave(member: Member): void {
    const { listKey } = member;
    const list = listKey === undefined ? undefined : this.#lists.get(listKey);
    if (list && listKey !== undefined) {
      list.members.delete(member);
      list.demand -= member.demand;
      if (list.members.size === 0) this.#lists.delete(listKey);
    } else {
      this.#demand -= member.demand;
    }
    member.demand = 0;
  }

  #setKnown(member: Member, isKnown: boolean): void {
    if (member.isKnown !== isKnown) this.known += isKnown ? 1 : -1;
    member.isKnown = isKnown;
  }
}
