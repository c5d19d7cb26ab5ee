/** The body is larger than it may be. */
export class TooLargeError extends Error {
  override name = 'TooLargeError';
}

/** Values within values. The documents have no more than ten; a few thousand would break everyone who walks them, JSON.stringify for one. */
const DEEPEST = 200;

/** The body holds values within values beyond all measure. */
export class TooDeepError extends Error {
  override name = 'TooDeepError';
}

/**
 * Reads a body as JSON, frozen all the way down: what is shared by many readers, none may change.
 * @throws TooLargeError, TooDeepError, SyntaxError, or what the body throws
 */
export async function readJson(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new TooLargeError(`more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return freeze(JSON.parse(new TextDecoder('utf-8').decode(Buffer.concat(chunks))));
}

function freeze(value: unknown, depth = 0): unknown {
  if (typeof value === 'object' && value !== null) {
    if (depth === DEEPEST) throw new TooDeepError(`more than ${DEEPEST} levels`);
    for (const inner of Object.values(value)) freeze(inner, depth + 1);
    Object.freeze(value);
  }
  return value;
}
