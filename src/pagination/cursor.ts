import { hash } from 'node:crypto';
import { UserInputError } from '#errors/gateway-error.ts';

/** Maximum number of neighbours that a cursor stores on each side. */
export const MAX_NEIGHBOURS = 4;

/** A position in a list that can be located again after the list has moved. */
export interface Cursor {
  readonly id: string;
  /** The item's last known position: the number of items before it. */
  readonly position: number;
  /** Short hashes of the ids before the item, nearest first; empty if unknown. */
  readonly preceding: readonly Buffer[];
  /** Short hashes of the ids after the item, nearest first; empty if unknown. */
  readonly following: readonly Buffer[];
}

/**
 * With 48 bits, a search of a thousand items for eight neighbours has a false match with a
 * probability of 3 in 10¹¹.
 */
const HASH_BYTES = 6;
const VERSION = 1;
const CHECKSUM_BYTES = 4;
/** Greater than the length of any list, and small enough for six bytes. */
const MAX_POSITION = 2 ** 40;
const POSITION_BYTES = 6;
const HEADER_BYTES = 1 + HASH_BYTES + POSITION_BYTES + 1;

/** What passes a cursor: an argument, or a header of an event stream. */
export type CursorArgument = 'after' | 'before' | 'Last-Event-ID';

/** A stable hash of a string: it keeps cursors short and does not need to be secret. */
export function shortHash(value: string): Buffer {
  return hash('sha1', value, 'buffer').subarray(0, HASH_BYTES);
}

/**
 * Encodes a cursor as an opaque string.
 *
 * Layout: version (1 byte), hash of the scope (6), position (6), counts of neighbours (4 + 4 bits),
 * hashes of the neighbours' ids, id of the item, checksum (4).
 * @param scope names the field, its parent and its filter: any other scope rejects the cursor
 */
export function encodeCursor(cursor: Cursor, scope: string): string {
  const header = Buffer.alloc(HEADER_BYTES);
  header[0] = VERSION;
  shortHash(scope).copy(header, 1);
  header.writeUIntBE(cursor.position, 1 + HASH_BYTES, POSITION_BYTES);
  header[HEADER_BYTES - 1] = (cursor.preceding.length << 4) | cursor.following.length;
  const body = Buffer.concat([
    header,
    ...cursor.preceding,
    ...cursor.following,
    Buffer.from(cursor.id),
  ]);
  return Buffer.concat([body, checksum(body)]).toString('base64url');
}

/**
 * Decodes a cursor that `encodeCursor` wrote for the same scope.
 * @param argument the name of the argument, for the error message
 * @throws UserInputError for any other string; the message names the cause
 */
export function decodeCursor(encoded: string, scope: string, argument: CursorArgument): Cursor {
  const invalidCursor = () =>
    new UserInputError(
      `\`${argument}\` is not a cursor of this gateway, or it is damaged: pass a cursor exactly as an earlier response returned it.`,
    );
  if (!/^[\w-]+$/.test(encoded)) throw invalidCursor();
  const bytes = Buffer.from(encoded, 'base64url');
  const body = bytes.subarray(0, -CHECKSUM_BYTES);
  // The string is compared too: base64 has several spellings for the same bytes, a cursor has only
  // one.
  if (
    body.length < HEADER_BYTES ||
    !checksum(body).equals(bytes.subarray(-CHECKSUM_BYTES)) ||
    bytes.toString('base64url') !== encoded
  ) {
    throw invalidCursor();
  }
  if (body[0] !== VERSION) {
    throw new UserInputError(
      `\`${argument}\` was made by another version of this gateway: start again without it.`,
    );
  }
  if (!shortHash(scope).equals(body.subarray(1, 1 + HASH_BYTES))) {
    throw new UserInputError(
      `\`${argument}\` belongs to another list: a cursor is valid only for the field, the parent and the filter it came from.`,
    );
  }
  const position = body.readUIntBE(1 + HASH_BYTES, POSITION_BYTES);
  const counts = body[HEADER_BYTES - 1] ?? 0;
  const [before, after] = [counts >> 4, counts & 0b1111];
  const idOffset = HEADER_BYTES + (before + after) * HASH_BYTES;
  if (
    position > MAX_POSITION ||
    before > MAX_NEIGHBOURS ||
    after > MAX_NEIGHBOURS ||
    idOffset > body.length
  )
    throw invalidCursor();
  const neighbour = (index: number) => {
    const offset = HEADER_BYTES + index * HASH_BYTES;
    return body.subarray(offset, offset + HASH_BYTES);
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
