import { readFileSync } from 'node:fs';
import { describeFileError } from './file-error.ts';
import { type Settings, SettingsError } from './settings.ts';

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[A-Za-z\d+/=\s]+-----END CERTIFICATE-----/;

export interface RedisTls {
  /** Certificates in PEM format. Undefined: those of Node.js are trusted. */
  readonly ca: string | undefined;
  readonly isVerified: boolean;
}

/**
 * Reads the certificates that `REDIS_TLS_CA_FILE` names.
 * @throws SettingsError if the file cannot be read, or contains no certificate
 */
export function readRedisTls({ caFile, isVerified }: Settings['cache']['redisTls']): RedisTls {
  return { ca: caFile === undefined ? undefined : readCertificates(caFile), isVerified };
}

function readCertificates(path: string): string {
  const text = readText(path);
  if (!PEM_CERTIFICATE.test(text)) throw toError(path, 'contains no certificate in PEM format');
  return text;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw toError(path, describeFileError(error));
  }
}

function toError(path: string, problem: string): SettingsError {
  return new SettingsError([`REDIS_TLS_CA_FILE: ${path} ${problem}.`]);
}
