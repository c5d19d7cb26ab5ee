import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type RedisServer, startRedis } from './redis-server.ts';

const OPENSSL = '/usr/bin/openssl';

export const hasOpenssl = existsSync(OPENSSL);

/** The paths of two files. */
export interface Certificate {
  readonly key: string;
  readonly certificate: string;
}

/** Creates a self-signed certificate for an address. */
export function createCertificate(folder: string, name: string, address: string): Certificate {
  const [key, certificate] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const subject = ['-subj', `/CN=${address}`, '-addext', `subjectAltName=IP:${address}`];
  const files = ['-keyout', key, '-out', certificate];
  execFileSync(OPENSSL, ['req', '-x509', ...kind, ...files, ...subject], { stdio: 'ignore' });
  return { key, certificate };
}

/** Starts a Redis that accepts only connections with TLS. */
export function startTlsRedis({ key, certificate }: Certificate): Promise<RedisServer> {
  const tls = ['--tls-cert-file', certificate, '--tls-key-file', key];
  const ports = ['--port', '0', '--tls-port', 'PORT', '--tls-auth-clients', 'no'];
  return startRedis([...ports, ...tls, '--tls-ca-cert-file', certificate]);
}
