import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { DEPLOY, readDeployFile, readYaml, type Yaml } from './deploy-files.ts';

export const OVERLAY = 'kubernetes-overlay';

export const readOverlay = (path: string): Yaml => readYaml(`${OVERLAY}/${path}`);

/** The variables of an example of an env file. */
export const readEnvFile = (path: string): Record<string, string> =>
  parseEnv(readDeployFile(path)) as Record<string, string>;

/**
 * Merges a patch as Kubernetes does (strategic merge): objects key by key, and lists of objects with
 * a name by that name.
 */
export function merge(base: Yaml, patch: Yaml): Yaml {
  if (Array.isArray(base) && Array.isArray(patch) && patch.every((item) => item?.name)) {
    const added = patch.filter(({ name }) => !base.some((item) => item.name === name));
    const changed = base.map((item) =>
      merge(item, patch.find(({ name }) => name === item.name) ?? {}),
    );
    return [...added, ...changed];
  }
  if (!isObject(base) || !isObject(patch)) return patch;
  const keys = new Set([...Object.keys(base), ...Object.keys(patch)]);
  return Object.fromEntries(
    [...keys].map((key) => [
      key,
      key in base && key in patch ? merge(base[key], patch[key]) : (patch[key] ?? base[key]),
    ]),
  );
}

function isObject(value: Yaml): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export const hasKubectl =
  spawnSync('kubectl', ['kustomize', join(DEPLOY, 'kubernetes')]).status === 0;

/** What `kubectl kustomize` makes of the overlay, with the example as its secrets. */
export function render(): Yaml[] {
  const folder = mkdtempSync(join(tmpdir(), 'overlay-'));
  try {
    for (const name of ['kubernetes', OVERLAY])
      cpSync(join(DEPLOY, name), join(folder, name), { recursive: true });
    cpSync(join(DEPLOY, OVERLAY, 'secrets.env.example'), join(folder, OVERLAY, 'secrets.env'));
    const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', join(folder, OVERLAY)], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(stderr);
    return parseAllDocuments(stdout).map((document) => document.toJS());
  } finally {
    rmSync(folder, { recursive: true });
  }
}
