import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

export interface CertificateOptions {
  /** The names, as `DNS:a.test` or `IP:127.0.0.1`. */
  readonly names: readonly string[];
  /** The organization of the subject, beside the common name `test`. */
  readonly organization?: string;
  /** In days from now; negative: in the past. */
  readonly validForDays?: number;
}

const DAY_MS = 86_400_000;

/** Creates a self-signed certificate without a program that may be missing. */
export function createCertificate({
  names,
  organization = 'tests',
  validForDays = 30,
}: CertificateOptions): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const end = Date.now() + validForDays * DAY_MS;
  const subject = sequence(attribute('550403', 'test'), attribute('55040a', organization));
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1])),
    ECDSA_WITH_SHA256,
    subject,
    sequence(time(end - 60 * DAY_MS), time(end)),
    subject,
    publicKey,
    der(0xa3, sequence(toAlternativeNames(names))),
  );
  const signature = sign('sha256', body, createPrivateKey(privateKey));
  const certificate = sequence(
    body,
    ECDSA_WITH_SHA256,
    der(0x03, Buffer.concat([Buffer.from([0]), signature])),
  );
  const lines = certificate.toString('base64').replace(/.{64}/g, '$&\n');
  return {
    key: privateKey,
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
  };
}

/** One value of the encoding of certificates (ITU-T X.690). */
function der(tag: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const size =
    body.length < 128
      ? Buffer.from([body.length])
      : Buffer.from([0x82, body.length >> 8, body.length & 0xff]);
  return Buffer.concat([Buffer.from([tag]), size, body]);
}

function sequence(...content: readonly Buffer[]): Buffer {
  return der(0x30, ...content);
}

function objectId(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'));
}

const ECDSA_WITH_SHA256 = sequence(objectId('2a8648ce3d040302'));
const SUBJECT_ALTERNATIVE_NAME = '551d11';

function attribute(type: string, value: string): Buffer {
  return der(0x31, sequence(objectId(type), der(0x0c, Buffer.from(value))));
}

function time(ms: number): Buffer {
  const text = new Date(ms).toISOString().replace(/^..|[-:T]|\.\d+/g, '');
  return der(0x17, Buffer.from(text));
}

function toAlternativeNames(names: readonly string[]): Buffer {
  const encoded = names.map((name) => {
    const [kind, value = ''] = name.split(/:(.*)/);
    return kind === 'IP'
      ? der(0x87, Buffer.from(value.split('.').map(Number)))
      : der(0x82, Buffer.from(value));
  });
  return sequence(objectId(SUBJECT_ALTERNATIVE_NAME), der(0x04, sequence(...encoded)));
}
