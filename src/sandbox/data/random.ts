/**
 * Seeded randomness: one stream for each generated object, so that adding an object never changes
 * its neighbours.
 */
export interface Random {
  /** In [0, 1). */
  next(): number;
  /** A whole number between the bounds, inclusive. */
  between(low: number, high: number): number;
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
  shuffle<T>(items: readonly T[]): T[];
}

type Path = readonly (string | number)[];

/**
 * Two 32-bit words for a seed and a path of names; a single word would collide among some ten
 * thousand ids.
 */
function toWords(seed: number, path: Path): [number, number] {
  const text = `${seed}/${path.join('/')}`;
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    high = Math.imul(high ^ code, 2654435761);
    low = Math.imul(low ^ code, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return [high >>> 0, low >>> 0];
}

function mulberry32(state: number): () => number {
  let current = state;
  return () => {
    current = (current + 0x6d2b79f5) | 0;
    let mixed = Math.imul(current ^ (current >>> 15), 1 | current);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** The random stream of this path and seed. */
export function createRandom(seed: number, ...path: Path): Random {
  const next = mulberry32(toWords(seed, path)[0]);
  const between = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));
  return {
    next,
    between,
    chance: (probability) => next() < probability,
    pick: (items) => items[between(0, items.length - 1)] as (typeof items)[number],
    shuffle: (items) => {
      const shuffled = [...items];
      for (let index = shuffled.length - 1; index > 0; index--) {
        const other = between(0, index);
        const swapped = shuffled[index] as (typeof items)[number];
        shuffled[index] = shuffled[other] as (typeof items)[number];
        shuffled[other] = swapped;
      }
      return shuffled;
    },
  };
}

/** An id that looks like a UUID and depends on the seed and the path alone, never on time. */
export function toId(seed: number, ...path: Path): string {
  const [a, b] = toWords(seed, path);
  const [c, d] = toWords(seed, [...path, 'rest']);
  const hex = [a, b, c, d].map((word) => word.toString(16).padStart(8, '0')).join('');
  const variant = '89ab'[d & 3];
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
}
