/**
 * Memory that V8 uses for frozen values parsed from JSON, as measured in Node 24
 * (test/soak/size.soak.ts measures it again). Values that are not frozen, as in production, take the
 * same or less.
 */
const SLOT_BYTES = 8;
const STRING_BYTES = 16;
/** A number outside its slot; a 32-bit integer fits into the slot. */
const NUMBER_BYTES = 16;
const ARRAY_BYTES = 48;
const OBJECT_BYTES = 24;
/** V8 reserves space for properties that are never added. */
const EMPTY_OBJECT_BYTES = 56;

/** An object with this many properties or more is a hash table with names of its own. */
const MIN_DICTIONARY_PROPERTIES = 128;
const DICTIONARY_SLOT_BYTES = 24;

/**
 * Every documented property name is shorter. A longer property name comes from the data, so V8 does
 * not share it with other objects.
 */
const MAX_SHARED_NAME_LENGTH = 32;
/**
 * Size of an unshared name without its characters: a hidden class and its description, both twice
 * because the object is frozen.
 */
const UNIQUE_NAME_BYTES = 160;

/** A single character beyond Latin-1 makes V8 store the whole string with two bytes a character. */
const TWO_BYTE_CHARACTER = /[\u0100-\uffff]/;

/**
 * Estimates the memory of a parsed JSON value, in bytes. The error is a few percent for the
 * response bodies of the upstream. The estimate can be twenty times too low for objects with few,
 * short property names that no other object has: a single object does not show whether its names
 * are shared.
 */
export function estimateBytes(value: unknown): number {
  switch (typeof value) {
    case 'string':
      return stringBytes(value);
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

/** Size of an object without its values and slots, in bytes. */
function objectBytes(names: readonly string[]): number {
  if (names.length === 0) return EMPTY_OBJECT_BYTES;
  const isDictionary = names.length >= MIN_DICTIONARY_PROPERTIES;
  // A table is at most two thirds full, and its length a power of two.
  let bytes = isDictionary
    ? OBJECT_BYTES + DICTIONARY_SLOT_BYTES * 2 ** Math.ceil(Math.log2(names.length * 1.5))
    : OBJECT_BYTES;
  for (const name of names) {
    if (isDictionary) bytes += stringBytes(name);
    else if (name.length > MAX_SHARED_NAME_LENGTH) bytes += UNIQUE_NAME_BYTES + stringBytes(name);
  }
  return bytes;
}

function stringBytes(value: string): number {
  return (
    STRING_BYTES + Math.ceil((value.length * (TWO_BYTE_CHARACTER.test(value) ? 2 : 1)) / 8) * 8
  );
}
