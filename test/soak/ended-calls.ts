import { createSandbox } from '#sandbox/sandbox.ts';

/**
 * An upstream with any number of calls. Each ended long ago and has its own id, phone numbers and
 * transcripts.
 */
export interface EndedCalls {
  /** Replaces the network. */
  fetch(request: Request): Promise<Response>;
  /** The number of requests received. */
  readonly requests: number;
  /** The response body of `GET /call/{id}`. */
  bodyOf(index: number): Buffer;
}

const LONG_AGO = Date.UTC(2024, 0, 1);
const DIGITS = 10;
/** A number that no call has. Each call's own number replaces it in the template. */
const NO_CALL = 9_999_999_999;
const HEADERS = new Headers({ 'content-type': 'application/json' });

export function idOf(index: number): string {
  return `5a0c0000-0000-4000-8000-00${toDigits(index)}`;
}

export function phoneNumberOf(index: number): string {
  return `+1${toDigits(index)}`;
}

export function createEndedCalls(): EndedCalls {
  const template = createTemplate();
  const offsets = offsetsOf(template, String(NO_CALL));
  const bodyOf = (index: number) => {
    const body = Buffer.from(template);
    const digits = Buffer.from(toDigits(index));
    for (const offset of offsets) digits.copy(body, offset);
    return body;
  };
  let requests = 0;
  return {
    bodyOf,
    get requests() {
      return requests;
    },
    async fetch({ url }) {
      requests += 1;
      // Contains only the parts of a response that the gateway reads: to create a real `Response`
      // takes longer than everything that is measured here.
      return {
        status: 200,
        headers: HEADERS,
        body: [bodyOf(Number(url.slice(-DIGITS)))],
      } as unknown as Response;
    },
  };
}

/**
 * The response of a sandbox call with a transcript, with its ids and numbers replaced by
 * `NO_CALL`.
 */
function createTemplate(): Buffer {
  const { calls } = createSandbox({ startedAt: LONG_AGO }).control.data('sk_demo_a');
  const call = calls.find((one) => {
    const { length } = JSON.stringify(one);
    return (
      one.status === 'completed' &&
      one.assistant &&
      one.last_call_attempt?.transcript?.length &&
      length > 2500 &&
      length < 3000
    );
  });
  if (!call) throw new Error('The sandbox has no ended call of that size.');
  return Buffer.from(
    JSON.stringify({ call })
      .replaceAll(call.id, idOf(NO_CALL))
      .replaceAll(call.to_phone_number, phoneNumberOf(NO_CALL))
      .replaceAll('"content":"', `"content":"${phoneNumberOf(NO_CALL)}? `),
  );
}

function offsetsOf(text: Buffer, word: string): number[] {
  const found: number[] = [];
  for (let offset = text.indexOf(word); offset !== -1; offset = text.indexOf(word, offset + 1))
    found.push(offset);
  return found;
}

function toDigits(index: number): string {
  return String(index).padStart(DIGITS, '0');
}
