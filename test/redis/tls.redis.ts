import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createSandbox } from '#sandbox/sandbox.ts';
import { KEY_A } from '../support/test-gateway.ts';
import { createRedisGateway } from './redis-gateway.ts';
import { expectRedisServer, hasRedisServer, type RedisServer, startRedis } from './redis-server.ts';
import {
  ANN,
  CALL,
  createTierInstance,
  PATH,
  toEntry,
  unavailableMessage,
} from './tier-instance.ts';
import { type Certificate, createCertificate, hasOpenssl, startTlsRedis } from './tls-server.ts';

expectRedisServer();

describe.skipIf(!hasRedisServer || !hasOpenssl)('Redis behind TLS', () => {
  let folder: string;
  let own: Certificate;
  let other: Certificate;
  let redis: RedisServer;
  let url: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'redis-tls-'));
    own = createCertificate(folder, 'own', '127.0.0.1');
    other = createCertificate(folder, 'other', '192.0.2.1');
    redis = await startTlsRedis(own);
    url = `rediss://127.0.0.1:${redis.port}`;
  });
  afterAll(async () => {
    await redis?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });
  const read = (file: string) => readFileSync(file, 'utf8');

  test('the gateway trusts a Redis behind TLS only when its certificate is trusted', async () => {
    await using untrusting = createTierInstance(url);
    await untrusting.waitForStatusChanges(1);
    expect(untrusting.statusChanges).toEqual([unavailableMessage('DEPTH_ZERO_SELF_SIGNED_CERT')]);
    expect(await untrusting.read(ANN, PATH)).toBeUndefined();

    const trusted = getCACertificates('default');
    onTestFinished(() => setDefaultCACertificates(trusted));
    setDefaultCACertificates([...trusted, read(own.certificate)]);
    await using one = createTierInstance(url);
    expect(await one.storeAndRead(ANN, PATH, toEntry(CALL))).toMatchObject({ value: CALL });
    expect(one.statusChanges).toEqual([]);

    await using plain = createTierInstance(url.replace('rediss:', 'redis:'));
    await plain.waitForStatusChanges(1);
    expect(await plain.read(ANN, PATH)).toBeUndefined();
  });

  test.each([
    ['the file of its authority', () => ({ REDIS_TLS_CA_FILE: own.certificate })],
    ['verification switched off', () => ({ REDIS_TLS_VERIFY: 'off' })],
  ])('two gateways share a self-signed Redis with %s', async (_name, toSettings) => {
    const settings = {
      REDIS_URL: url,
      REDIS_TIMEOUT_MS: '2000',
      CACHE_MAX_BYTES: '0',
      ...toSettings(),
    };
    const sandbox = createSandbox();
    const [id] = sandbox.control.data(KEY_A).calls.map((call) => call.id);
    const operation = { query: 'query ($id: ID!) { call(id: $id) { id } }', variables: { id } };
    await using first = createRedisGateway(sandbox, settings);
    await using second = createRedisGateway(sandbox, settings);
    await first.execute(operation);
    first.traffic();
    await expect
      .poll(async () => {
        expect(await second.execute(operation)).toMatchObject({ data: { call: { id } } });
        return second.traffic();
      })
      .toEqual([]);
    expect([...first.problems, ...second.problems]).toEqual([]);
  });

  test('a certificate of another authority is not trusted', async () => {
    const tls = { ca: read(other.certificate), isVerified: true };
    await using one = createTierInstance(url, { tls });
    await one.waitForStatusChanges(1);
    expect(one.statusChanges).toEqual([unavailableMessage('DEPTH_ZERO_SELF_SIGNED_CERT')]);
    expect(await one.read(ANN, PATH)).toBeUndefined();
  });

  test('a certificate for another address is accepted only without verification', async () => {
    await using elsewhere = await startTlsRedis(other);
    const otherUrl = `rediss://127.0.0.1:${elsewhere.port}`;
    const ca = read(other.certificate);
    await using verifying = createTierInstance(otherUrl, { tls: { ca, isVerified: true } });
    await verifying.waitForStatusChanges(1);
    expect(verifying.statusChanges).toEqual([unavailableMessage('ERR_TLS_CERT_ALTNAME_INVALID')]);

    const tls = { ca: undefined, isVerified: false };
    await using one = createTierInstance(otherUrl, { tls });
    expect(await one.storeAndRead(ANN, PATH, toEntry(CALL))).toMatchObject({ value: CALL });
    expect(one.statusChanges).toEqual([]);
  });

  test('the settings of TLS do not make a plain URL one of TLS', async () => {
    await using plainRedis = await startRedis();
    const tls = { ca: undefined, isVerified: true };
    await using one = createTierInstance(plainRedis.url, { tls });
    expect(await one.storeAndRead(ANN, PATH, toEntry(CALL))).toMatchObject({ value: CALL });
  });
});
