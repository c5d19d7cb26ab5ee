import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Environment } from '#config/settings.ts';
import type { DoctorOptions } from '#doctor/run-doctor.ts';
import { createSandbox, type SandboxOptions } from '#sandbox/sandbox.ts';
import { serveSandbox } from '#sandbox/serve-sandbox.ts';
import { listen } from '../rest/real-server.ts';
import { createKey, toJwk } from '../support/token-issuer.ts';
import { createTestSandbox, freePort, runAsText, STARTED_AT } from './doctor-scene.ts';

const PAGE = new URL('../../docs/operations/doctor.md', import.meta.url);

/** `UPDATE_TRANSCRIPTS=on npx vitest run --project unit test/doctor/transcripts.test.ts` */
const isUpdate = process.env.UPDATE_TRANSCRIPTS === 'on';

/** The transcripts of the page, by the name in the comment above each. */
const transcripts: Readonly<Record<string, () => Promise<string[]>>> = {
  healthy: () => runOverSockets({}),
  'other behaviour': () =>
    runOverSockets({ version: '0.5.0', firstPage: 0, arrayFormat: 'brackets', maxPageSize: 20 }),
  'nothing listens': async () =>
    (await runAsText({ ...createClock() }, { REVOX_BASE_URL: 'http://127.0.0.1:9/api' })).lines,
  'apex domain': () => runWithRedirect(),
  services: () => runWithServices(),
};

describe('The page about the doctor', () => {
  test.each(Object.entries(transcripts))('the transcript "%s" is up to date', async (name, run) => {
    const lines = await run();
    const text = readFileSync(PAGE, 'utf8');
    const [, before = '', shown] = toPattern(name).exec(text) ?? [];
    if (isUpdate)
      writeFileSync(
        PAGE,
        text.replace(`${before}${shown}`, () => before + lines.join('\n')),
      );
    else expect(shown).toBe(lines.join('\n'));
  });
});

function toPattern(name: string): RegExp {
  return new RegExp(`(<!-- transcript: ${name} -->\\n\\n\`\`\`text\\n)([\\s\\S]*?)\\n\`\`\``);
}

async function runOverSockets(options: SandboxOptions): Promise<string[]> {
  const sandbox = createSandbox({
    now: () => STARTED_AT,
    startedAt: STARTED_AT,
    sendsDate: true,
    ...options,
  });
  const upstream = await serveSandbox(sandbox, { host: '127.0.0.1', port: await freePort() });
  try {
    const { lines } = await runAsText(createClock(), { REVOX_BASE_URL: upstream.url });
    const { port } = new URL(upstream.url);
    return lines.map((line) => line.replace(`:${port}/`, ':4001/'));
  } finally {
    await upstream.close();
  }
}

async function runWithRedirect(): Promise<string[]> {
  const sandbox = createTestSandbox({
    prepare: ({ control }) =>
      control.fail('', {
        status: 308,
        headers: { location: 'https://www.getrevox.com/api/assistants' },
      }),
  });
  const settings: Environment = { REVOX_BASE_URL: 'https://getrevox.com/api' };
  return (await runAsText({ ...createClock(), fetch: sandbox.fetch }, settings)).lines;
}

/** Without the lines about the upstream. */
async function runWithServices(): Promise<string[]> {
  const keySet = JSON.stringify({ keys: [await toJwk(await createKey('one'))] });
  await using issuer = await listen((response) =>
    response.writeHead(200, { date: new Date(STARTED_AT).toUTCString() }).end(keySet),
  );
  const settings: Environment = {
    REDIS_URL: 'redis://127.0.0.1:9',
    JWT_JWKS_URL: `${issuer.origin}/keys`,
    JWT_ISSUER: 'https://id.test/',
    JWT_AUDIENCE: 'https://calls.test',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
  };
  const { fetch } = createTestSandbox({});
  const { lines } = await runAsText({ ...createClock(), fetch }, settings);
  const end = lines.indexOf('');
  return lines.filter((line, index) => index >= end || /^\S+ +(redis|jwks|otlp)-/.test(line));
}

/** Each reading of the clock is 21 ms after the one before. */
function createClock(): Partial<DoctorOptions> {
  let now = 0;
  return {
    monotonicNow() {
      now += 21;
      return now;
    },
  };
}
