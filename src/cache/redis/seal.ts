import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';
import { parseOwnJson } from '#rest/transport/parse-json.ts';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/**
 * Maximum size of the JSON string, in bytes: twice the default of `REVOX_MAX_RESPONSE_BYTES`. A
 * larger value is not sealed, and not decompressed.
 */
const MAX_TEXT_BYTES = 64 * 2 ** 20;

const deflate = promisify(deflateRaw);
const inflate = promisify(inflateRaw);

/**
 * Seals a value: only the key can open it, and only under the name it was sealed for (AES-256-GCM;
 * nonce, ciphertext, tag). The value is compressed first, because ciphertext cannot be compressed.
 * @returns undefined if the value is too large
 */
export async function seal(value: unknown, key: Buffer, name: string): Promise<Buffer | undefined> {
  const text = Buffer.from(JSON.stringify(value));
  if (text.length > MAX_TEXT_BYTES) return undefined;
  // The fastest level: it compresses transcripts to a quarter. Higher levels gain little for
  // several times the time.
  const compressed = await deflate(text, { level: 1 });
  // A random nonce, because instances share no counter. A repetition becomes conceivable at 2^32
  // values sealed with one key.
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES }).setAAD(
    Buffer.from(name),
  );
  return Buffer.concat([nonce, cipher.update(compressed), cipher.final(), cipher.getAuthTag()]);
}

/**
 * Opens a value that was sealed for this name with this key. The value is deeply frozen, except in
 * production.
 * @returns undefined for anything else, without a reason
 */
export async function open(sealed: Buffer, key: Buffer, name: string): Promise<unknown> {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined;
  try {
    const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    })
      .setAAD(Buffer.from(name))
      .setAuthTag(sealed.subarray(-TAG_BYTES));
    const compressed = Buffer.concat([
      decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)),
      decipher.final(),
    ]);
    const text = await inflate(compressed, { maxOutputLength: MAX_TEXT_BYTES });
    return parseOwnJson(text);
  } catch {
    return undefined;
  }
}
