import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { freePort, startProcess } from '../sockets/demo-process.ts';
import { type ServedGateway, serveTestGateway } from '../support/served-gateway.ts';
import { PROCESSES, TOOL_ENVIRONMENT } from './composers.ts';
import { expectRouters, hasRouters } from './installed.ts';
import { executeAt } from './supergraph.ts';

expectRouters();

const ROOT = join(import.meta.dirname, '../..');
const FOLDER = 'deploy/federation-local';

interface Manifest {
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly overrides: unknown;
}

const readManifest = async (path: string): Promise<Manifest> =>
  JSON.parse(await readFile(path, 'utf8')) as Manifest;

/**
 * Copies the files of the example to a folder of their own, with other ports and the packages of the
 * router tests.
 */
async function copyExample(ports: Readonly<Record<string, number>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'federation-local-'));
  onTestFinished(() => rm(root, { recursive: true }));
  const folder = join(root, FOLDER);
  await cp(join(ROOT, FOLDER), folder, {
    recursive: true,
    filter: (path) => !/node_modules|supergraph\.graphql$/.test(path),
  });
  await cp(join(ROOT, 'sdl'), join(root, 'sdl'), { recursive: true });
  await symlink(join(PROCESSES, 'node_modules'), join(folder, 'node_modules'));
  for (const name of await readdir(folder)) {
    if (!/\.(js|yaml)$/.test(name)) continue;
    const text = await readFile(join(folder, name), 'utf8');
    await writeFile(
      join(folder, name),
      text.replace(/\b4[01]\d0\b/g, (port) => String(ports[port])),
    );
  }
  return folder;
}

/** Starts a script of package.json, and returns the first line that it prints. */
async function runScript(folder: string, name: string) {
  const { scripts } = await readManifest(join(folder, 'package.json'));
  const command = (scripts[name] ?? '').replace(
    'hive-gateway',
    'node node_modules/@graphql-hive/gateway/dist/bin.js',
  );
  const [program, ...args] = command.split(' ');
  expect(program).toBe('node');
  const { PATH: _, ...settings } = TOOL_ENVIRONMENT;
  return startProcess(process.execPath, args, { cwd: folder, settings });
}

describe.skipIf(!hasRouters)('The local federation example', () => {
  test('the example has the package versions of the router tests', async () => {
    const example = await readManifest(join(ROOT, FOLDER, 'package.json'));
    const { overrides } = await readManifest(join(PROCESSES, 'package.json'));
    expect(example.overrides).toEqual(overrides);
    for (const [name, version] of Object.entries(example.dependencies)) {
      const installed = JSON.parse(
        await readFile(join(PROCESSES, `node_modules/${name}/package.json`), 'utf8'),
      ) as { version: string };
      expect.soft(`${name} ${installed.version}`).toBe(`${name} ${version}`);
    }
  });

  test('the files compose and run two subgraphs behind a router', async () => {
    await using gateway = await serveTestGateway();
    const [contactsPort, routerPort] = [await freePort(), await freePort()];
    const folder = await copyExample({
      4000: Number(new URL(gateway.url).port),
      4010: contactsPort,
      4100: routerPort,
    });

    await using contacts = await runScript(folder, 'contacts');
    expect(await contacts.firstLine).toBe(`Contacts: http://127.0.0.1:${contactsPort}/graphql`);
    await using composition = await runScript(folder, 'compose');
    expect(await composition.ended).toEqual({
      code: 0,
      stdout: 'Composed revox and contacts: supergraph.graphql\n',
      stderr: '',
    });
    await using router = await runScript(folder, 'router');
    const url = `http://127.0.0.1:${routerPort}/graphql`;
    await expect
      .poll(
        () =>
          fetch(`http://127.0.0.1:${routerPort}/readiness`).then(
            ({ ok }) => ok,
            () => false,
          ),
        {
          timeout: 30_000,
        },
      )
      .toBe(true);

    const guide = await readFile(join(ROOT, 'docs/guides/federation.md'), 'utf8');
    const [, query = ''] = /```graphql\n(# Both subgraphs\n[^`]+)```/.exec(guide) ?? [];
    const { data, errors } = await executeAt(url, query);

    expect(errors).toBeUndefined();
    expect(data).toEqual({
      assistants: {
        nodes: Array.from({ length: 2 }, () => ({
          name: expect.any(String),
          owner: expect.stringMatching(/^(Sales|Support)$/),
        })),
      },
      campaigns: {
        nodes: [
          {
            name: expect.any(String),
            rows: {
              nodes: Array.from({ length: 2 }, () => ({
                call: {
                  toPhoneNumber: expect.stringMatching(/^\+\d+$/),
                  contact: { name: expect.stringMatching(/^(Ada|Grace|Edsger|Barbara|Alan)$/) },
                },
              })),
            },
          },
        ],
      },
    });
    // Each row contains its call, so the calls of the second subgraph cost no request.
    expect(
      gateway.traffic().map((line) => line.replace(/campaigns\/[^/?]+/, 'campaigns/…')),
    ).toEqual([
      'GET /assistants',
      'GET /campaigns',
      'GET /campaigns/…/rows?page=1&page_size=50&statuses=completed',
    ]);

    // Without `requireEventStream` the router subscribes at the gateway and refuses its client.
    const subscribe = (accept: string) =>
      fetch(url, {
        method: 'POST',
        headers: { accept, 'content-type': 'application/json' },
        body: JSON.stringify({ query: 'subscription { callAttemptAdded { node { id } } }' }),
      });
    const refused = await subscribe('application/json, multipart/mixed;subscriptionSpec=1.0');
    expect(await refused.text()).toContain('Accept must contain text/event-stream');
    expect(await openSubscriptions(gateway)).toBe(0);

    const accepted = await subscribe('text/event-stream');
    expect(accepted.headers.get('content-type')).toContain('text/event-stream');
    await expect.poll(() => openSubscriptions(gateway)).toBe(1);
    await accepted.body?.cancel();
    await expect.poll(() => openSubscriptions(gateway)).toBe(0);
    expect(new Set(gateway.traffic().map((line) => line.split('?')[0]))).toEqual(
      new Set(['GET /call']),
    );
    expect(router.process.exitCode).toBeNull();
  });
});

async function openSubscriptions({ url }: ServedGateway): Promise<number> {
  const metrics = await (await fetch(new URL('/metrics', url))).text();
  const counts = metrics.matchAll(/^revox_gateway_live_subscriptions\{.*\} (\d+)$/gm);
  return Array.from(counts, ([, count]) => Number(count)).reduce((sum, count) => sum + count, 0);
}
