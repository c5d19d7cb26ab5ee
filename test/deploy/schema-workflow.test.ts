import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import manifest from '../../package.json' with { type: 'json' };
import type { Yaml } from './deploy-files.ts';

const ROOT = join(import.meta.dirname, '../..');

test('the schema workflow of docs/guides/federation.md names files, scripts and a subgraph that exist', () => {
  const guide = readFileSync(join(ROOT, 'docs/guides/federation.md'), 'utf8');
  const [, text = ''] = /```yaml\n(name: Schema\n[^`]+)```/.exec(guide) ?? [];
  const steps: Yaml[] = parse(text).jobs.check.steps;
  const commands = steps.flatMap(({ run }) => run ?? []).join('\n');
  for (const [, script = ''] of commands.matchAll(/npm run ([\w:]+)/g))
    expect.soft(manifest.scripts).toHaveProperty([script]);
  const files = [...commands.matchAll(/\bsdl\/[\w./]+/g)].map(([path]) => path);
  expect(files).toEqual(Array.from({ length: 3 }, () => 'sdl/subgraph.graphql'));
  expect(existsSync(join(ROOT, 'sdl/subgraph.graphql'))).toBe(true);
  expect(existsSync(join(ROOT, steps[1].with['node-version-file']))).toBe(true);
  // A secret reaches a command through its environment only.
  expect(commands).not.toContain('secrets.');
  expect(commands.match(/(--name |--service |check )revox\b/g)).toHaveLength(3);
});
