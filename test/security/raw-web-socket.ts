import { randomBytes } from 'node:crypto';

/** A frame of a WebSocket client (RFC 6455, 5.2), also one that is not valid. */
export interface FrameOptions {
  /** @default 1, text */
  readonly opcode?: number;
  /** @default true */
  readonly isFinal?: boolean;
  /** @default true, as the protocol demands of clients */
  readonly isMasked?: boolean;
  /** Whether the frame claims to be compressed. @default false */
  readonly isCompressed?: boolean;
  /** The length that the header states. @default that of the payload */
  readonly statedLength?: bigint;
}

export const OPCODES = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9 } as const;

/** With this mask a masked payload is the payload. */
const MASK = Buffer.alloc(4);

export function toFrame(payload: string | Buffer, options: FrameOptions = {}): Buffer {
  const { opcode = OPCODES.text, isFinal = true, isMasked = true, isCompressed = false } = options;
  const bytes = Buffer.from(payload);
  const length = options.statedLength ?? BigInt(bytes.byteLength);
  const first = (isFinal ? 0x80 : 0) | (isCompressed ? 0x40 : 0) | opcode;
  const maskBit = isMasked ? 0x80 : 0;
  return Buffer.concat([
    Buffer.from([first]),
    toLengthField(length, maskBit),
    isMasked ? MASK : Buffer.alloc(0),
    bytes,
  ]);
}

function toLengthField(length: bigint, maskBit: number): Buffer {
  if (length < 126n) return Buffer.from([maskBit | Number(length)]);
  const isShort = length < 65_536n;
  const field = Buffer.alloc(isShort ? 3 : 9);
  field[0] = maskBit | (isShort ? 126 : 127);
  if (isShort) field.writeUInt16BE(Number(length), 1);
  else field.writeBigUInt64BE(length, 1);
  return field;
}

/** The request that opens a WebSocket. @param headers further lines */
export function toHandshake(headers: readonly string[]): string {
  return [
    'GET /graphql HTTP/1.1',
    'Host: localhost',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    'Sec-WebSocket-Protocol: graphql-transport-ws',
    ...headers,
    '',
    '',
  ].join('\r\n');
}

/** A frame of a server. */
export interface ReceivedFrame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** Reads the frames of a server, which are not masked. */
export function createFrameReader(onFrame: (frame: ReceivedFrame) => void) {
  let rest = Buffer.alloc(0);
  return (bytes: Buffer): void => {
    rest = Buffer.concat([rest, bytes]);
    for (let frame = readFrame(rest); frame; frame = readFrame(rest)) {
      rest = rest.subarray(frame.end);
      onFrame(frame);
    }
  };
}

function readFrame(bytes: Buffer): (ReceivedFrame & { readonly end: number }) | undefined {
  if (bytes.byteLength < 2) return undefined;
  const short = (bytes[1] ?? 0) & 0x7f;
  const start = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.byteLength < start) return undefined;
  const length =
    short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  const end = start + length;
  if (bytes.byteLength < end) return undefined;
  return { opcode: (bytes[0] ?? 0) & 0x0f, payload: bytes.subarray(start, end), end };
}
