import { createSandbox } from '#sandbox/sandbox.ts';

/** An upstream of as many calls as are asked for: each with an id, phone numbers and transcripts of its own, each over long ago. */
export interface EndedCalls {
  /** In the place of the network. */
  fetch(request: Request): Promise<Response>;
  /** How many it has answered. */
  readonly requests: number;
  /** The answer to `GET /call/{id}`. */
  bodyOf(index: number): Buffer;
}

const LONG_AGO = Date.UTC(2024, 0, 1);
const DIGITS = 10;
/** The number of no call: where it stands, another's is put. */
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
    for (const place of offsets) digits.copy(body, place);
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
      // As much of a response as is looked at: to make a real one takes longer than all that is measured here.
      return {
        status: 200,
        headers: HEADERS,
        body: [bodyOf(Number(url.slice(-DIGITS)))],
      } as unknown as Response;
    },
  };
}

/** The answer with a call of the sandbox that was talked in, its ids and numbers replaced by those of no call. */
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
  if (!call) throw new Error('The sandbox has no such call any more.');
  return Buffer.from(
    JSON.stringify({ call })
      .replaceAll(call.id, idOf(NO_CALL))
      .replaceAll(call.to_phone_number, phoneNumberOf(NO_CALL))
      .replaceAll('"content":"', `"content":"${phoneNumberOf(NO_CALL)}? `),
  );
}

function offsetsOf(text: Buffer, word: string): number[] {
  const places: number[] = [];
  for (let place = text.indexOf(word); place !== -1; place = text.indexOf(word, place + 1))
    places.push(place);
  return places;
}

function toDigits(index: number): string {
  return String(index).padStart(DIGITS, '0');
}
