import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Of the JSON text. What would unfold to more is not sealed, and not unfolded: sixteen times what the upstream's largest documents take. */
const MAX_TEXT_BYTES = 64 * 2 ** 20;

const deflate = promisify(deflateRaw);
const inflate = promisify(inflateRaw);

/**
 * Seals a value, so that only who has the key can read it, and only under the name it was sealed for (AES-256-GCM; nonce, ciphertext,
 * tag). Compressed first, for nothing can be compressed afterwards.
 * @returns undefined when it is too large
 */
export async function seal(value: unknown, key: Buffer, name: string): Promise<Buffer | undefined> {
  const text = Buffer.from(JSON.stringify(value));
  if (text.length > MAX_TEXT_BYTES) return undefined;
  // The fastest level: it takes transcripts to a quarter, and the ones above gain little for several times the time.
  const compressed = await deflate(text, { level: 1 });
  // Random, not counted: no two instances share a counter. At 2^32 values sealed with one key a repetition gets thinkable.
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(name));
  return Buffer.concat([nonce, cipher.update(compressed), cipher.final(), cipher.getAuthTag()]);
}

/**
 * Opens what was sealed for this name with this key, frozen all the way down.
 * @returns undefined for anything else: nobody is told why
 */
export async function open(sealed: Buffer, key: Buffer, name: string): Promise<unknown> {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined;
  try {
    const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
      .setAAD(Buffer.from(name))
      .setAuthTag(sealed.subarray(-TAG_BYTES));
    const compressed = Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
    const text = await inflate(compressed, { maxOutputLength: MAX_TEXT_BYTES });
    return deepFreeze(JSON.parse(text.toString()));
  } catch {
    return undefined;
  }
}

/** By hand, not by a reviver: that takes JSON.parse several times as long. */
function deepFreeze(value: unknown): unknown {
  if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) deepFreeze(inner);
    Object.freeze(value);
  }
  return value;
}
