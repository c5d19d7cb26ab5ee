import { hash } from 'node:crypto';
import { UserInputError } from '#errors/gateway-error.ts';
import { FINGERPRINT_BYTES, fingerprint } from './fingerprint.ts';

/** Neighbours that a cursor remembers on either side, at the most. */
export const MAX_NEIGHBOURS = 4;

/** A place in a list that can be found again after the list has moved. */
export interface Cursor {
  readonly id: string;
  /** Where the item was last seen: the number of items before it. */
  readonly position: number;
  /** Fingerprints of the ids that stood before it, the nearest first; empty when unknown. */
  readonly preceding: readonly Buffer[];
  /** Fingerprints of the ids that stood after it, the nearest first; empty when unknown. */
  readonly following: readonly Buffer[];
}

const VERSION = 1;
const CHECKSUM_BYTES = 4;
/** Farther than any list reaches, and small enough for six bytes. */
const MAX_POSITION = 2 ** 40;
const POSITION_BYTES = 6;
const HEADER_BYTES = 1 + FINGERPRINT_BYTES + POSITION_BYTES + 1;

/**
 * Writes a cursor as opaque text.
 *
 * Layout: version (1 byte), fingerprint of the scope (6), place (6), counts of neighbours (4 + 4 bits), their fingerprints, the id, checksum (4).
 * @param scope names the field, its parent and its filter: the cursor is refused anywhere else
 */
export function encodeCursor(cursor: Cursor, scope: string): string {
  const header = Buffer.alloc(HEADER_BYTES);
  header[0] = VERSION;
  fingerprint(scope).copy(header, 1);
  header.writeUIntBE(cursor.position, 1 + FINGERPRINT_BYTES, POSITION_BYTES);
  header[HEADER_BYTES - 1] = (cursor.preceding.length << 4) | cursor.following.length;
  const body = Buffer.concat([header, ...cursor.preceding, ...cursor.following, Buffer.from(cursor.id)]);
  return Buffer.concat([body, checksum(body)]).toString('base64url');
}

/**
 * Reads a cursor that `encodeCursor` wrote for the same scope.
 * @param argument the name of the argument, for the message
 * @throws UserInputError for anything else, saying what it is
 */
export function decodeCursor(text: string, scope: string, argument: 'after' | 'before'): Cursor {
  const invalidCursor = () =>
    new UserInputError(
      `\`${argument}\` is no cursor of this gateway, or it is damaged: pass a cursor exactly as an earlier answer gave it.`,
    );
  if (!/^[\w-]+$/.test(text)) throw invalidCursor();
  const bytes = Buffer.from(text, 'base64url');
  const body = bytes.subarray(0, -CHECKSUM_BYTES);
  // The text is compared too: base64 has several spellings for the same bytes, and a cursor has one.
  if (
    body.length < HEADER_BYTES ||
    !checksum(body).equals(bytes.subarray(-CHECKSUM_BYTES)) ||
    bytes.toString('base64url') !== text
  ) {
    throw invalidCursor();
  }
  if (body[0] !== VERSION) {
    throw new UserInputError(`\`${argument}\` was made by another version of this gateway: start again without it.`);
  }
  if (!fingerprint(scope).equals(body.subarray(1, 1 + FINGERPRINT_BYTES))) {
    throw new UserInputError(
      `\`${argument}\` belongs to another list: a cursor holds for the field, the parent and the filter it came from.`,
    );
  }
  const position = body.readUIntBE(1 + FINGERPRINT_BYTES, POSITION_BYTES);
  const counts = body[HEADER_BYTES - 1] ?? 0;
  const [before, after] = [counts >> 4, counts & 0b1111];
  const idOffset = HEADER_BYTES + (before + after) * FINGERPRINT_BYTES;
  if (position > MAX_POSITION || before > MAX_NEIGHBOURS || after > MAX_NEIGHBOURS || idOffset > body.length)
    throw invalidCursor();
  const neighbour = (index: number) => {
    const offset = HEADER_BYTES + index * FINGERPRINT_BYTES;
    return body.subarray(offset, offset + FINGERPRINT_BYTES);
  };
  return {
    id: body.toString('utf8', idOffset),
    position,
    preceding: Array.from({ length: before }, (_, index) => neighbour(index)),
    following: Array.from({ length: after }, (_, index) => neighbour(before + index)),
  };
}

function checksum(body: Buffer): Buffer {
  return hash('sha1', body, 'buffer').subarray(0, CHECKSUM_BYTES);
}
