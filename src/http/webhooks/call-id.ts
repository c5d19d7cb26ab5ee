import { withoutByteOrderMark } from '#http/read-body.ts';

/** Ids of Revox have 36 characters. */
const MAX_ID_LENGTH = 200;

const INVALID = Symbol('invalid');

/** The body of a webhook is not what the gateway can read. The message states why. */
export class InvalidWebhookError extends Error {
  override name = 'InvalidWebhookError';
}

/**
 * Reads the id of the call from the body of a webhook: of the order, or of the attempt if there is
 * none. Everything else in the body is ignored, because it is not signed.
 * @throws InvalidWebhookError
 */
export function readCallId(body: Uint8Array): string {
  const message = parseJson(body);
  if (typeof message !== 'object' || message === null || Array.isArray(message))
    throw new InvalidWebhookError('The body must be a JSON object.');
  const id = readId(message, 'call_order_id') ?? readId(message, 'call_id');
  if (id === undefined)
    throw new InvalidWebhookError(
      `The body must have a call_order_id or a call_id: a text of 1 to ${MAX_ID_LENGTH} characters.`,
    );
  return id;
}

function parseJson(body: Uint8Array): unknown {
  let message: unknown = INVALID;
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
    message = JSON.parse(withoutByteOrderMark(text));
  } catch {
    // The message of the parser contains a part of the body.
  }
  if (message === INVALID) throw new InvalidWebhookError('The body must be JSON in UTF-8.');
  return message;
}

function readId(message: object, name: string): string | undefined {
  const id: unknown = Object.hasOwn(message, name)
    ? (message as Record<string, unknown>)[name]
    : undefined;
  const isId = typeof id === 'string' && id.length > 0 && id.length <= MAX_ID_LENGTH;
  return isId ? id : undefined;
}
