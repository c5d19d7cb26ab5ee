/** What V8 takes for values that were parsed from JSON and frozen, as measured in Node 24 (test/soak/size.soak.ts measures it again). */
const SLOT_BYTES = 8;
const STRING_BYTES = 16;
/** Of a number that does not fit into its slot, as an integer of 32 bits does. */
const NUMBER_BYTES = 16;
const ARRAY_BYTES = 48;
const OBJECT_BYTES = 24;
/** Room is left for properties that never come. */
const EMPTY_OBJECT_BYTES = 56;

/** From so many properties on, an object is a hash table with names of its own. */
const MIN_DICTIONARY_PROPERTIES = 128;
const DICTIONARY_SLOT_BYTES = 24;

/** No documented name is as long: a longer one is data, and nobody else's. */
const MAX_SHARED_NAME_LENGTH = 32;
/** What a name that no other object has costs besides its text: a hidden class and its description, twice, for the object is frozen. */
const UNIQUE_NAME_BYTES = 160;

/** A single character beyond Latin-1 makes the whole text two bytes a character. */
const TWO_BYTE_CHARACTER = /[\u0100-\uffff]/;

/**
 * Estimates what a parsed JSON value takes in memory, bytes. Within a few hundredths for what the upstream documents. Too low, down to a
 * twentieth, only for objects of few and short names that no other object has: nobody can tell by looking at one object.
 */
export function estimateBytes(value: unknown): number {
  switch (typeof value) {
    case 'string':
      return textBytes(value);
    case 'number':
      return (value | 0) === value ? 0 : NUMBER_BYTES;
    case 'object': {
      if (value === null) return 0;
      const values = Object.values(value);
      let bytes = Array.isArray(value) ? ARRAY_BYTES : objectBytes(Object.keys(value));
      for (const item of values) bytes += SLOT_BYTES + estimateBytes(item);
      return bytes;
    }
    default:
      return 0;
  }
}

/** Without its values and their slots. */
function objectBytes(names: readonly string[]): number {
  if (names.length === 0) return EMPTY_OBJECT_BYTES;
  const isDictionary = names.length >= MIN_DICTIONARY_PROPERTIES;
  // A table is at most two thirds full, and its length a power of two.
  let bytes = isDictionary ? OBJECT_BYTES + DICTIONARY_SLOT_BYTES * 2 ** Math.ceil(Math.log2(names.length * 1.5)) : OBJECT_BYTES;
  for (const name of names) {
    if (isDictionary) bytes += textBytes(name);
    else if (name.length > MAX_SHARED_NAME_LENGTH) bytes += UNIQUE_NAME_BYTES + textBytes(name);
  }
  return bytes;
}

function textBytes(text: string): number {
  return STRING_BYTES + Math.ceil((text.length * (TWO_BYTE_CHARACTER.test(text) ? 2 : 1)) / 8) * 8;
}
