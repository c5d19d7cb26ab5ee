import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readSettings } from '#config/settings.ts';
import { DEPLOY, kubernetesObjects, readYaml, type Yaml } from './deploy-files.ts';
import { KINDS } from './kinds.ts';
import { hasKubectl, merge, OVERLAY, readEnvFile, readOverlay, render } from './overlay.ts';

const kustomization = readOverlay('kustomization.yaml');
const base = kubernetesObjects().map(({ object }) => object);
const patches: Yaml[] = kustomization.patches.map(({ path }: Yaml) => readOverlay(path));
const secrets = readEnvFile(`${OVERLAY}/secrets.env.example`);

const baseOf = (patch: Yaml): Yaml =>
  base.find(({ kind, metadata }) => kind === patch.kind && metadata.name === patch.metadata.name);
const merged = patches.map((patch) => merge(baseOf(patch), patch));
const containerOf = (object: Yaml): Yaml => object.spec.template.spec.containers[0];
const deployment = merged.find(({ kind }) => kind === 'Deployment');

function validate(object: Yaml): void {
  const Kind = KINDS[object.kind];
  if (!Kind) throw new Error(`No validator for ${object.kind}.`);
  new Kind(object).validate();
}

const mebibytesOf = (container: Yaml) => ({
  heap: Number(
    /--max-old-space-size=(\d+)/.exec(
      container.env.find(({ name }: Yaml) => name === 'NODE_OPTIONS').value,
    )?.[1],
  ),
  limit: Number.parseInt(container.resources.limits.memory, 10),
  cache:
    Number(
      container.env.find(({ name }: Yaml) => name === 'CACHE_MAX_BYTES')?.value ?? 64 * 2 ** 20,
    ) /
    2 ** 20,
});

describe('Kubernetes overlay', () => {
  test('the overlay names only files and objects that exist', () => {
    for (const path of kustomization.resources)
      expect.soft(existsSync(join(DEPLOY, OVERLAY, path)), path).toBe(true);
    expect(patches.map(baseOf)).not.toContain(undefined);
    const [{ name }] = kustomization.images;
    expect(name).toBe(containerOf(readYaml('kubernetes/deployment.yaml')).image);
    expect(containerOf(patches[0]).name).toBe(containerOf(deployment).name);
    expect(containerOf(deployment).env).toHaveLength(
      containerOf(readYaml('kubernetes/deployment.yaml')).env.length + 2,
    );
  });

  test('the patched objects and the added policy are valid', () => {
    for (const object of [...merged, readOverlay('network-policy.yaml')])
      expect(() => validate(object)).not.toThrow();
    const labels = deployment.spec.template.metadata.labels;
    expect(readOverlay('network-policy.yaml').spec.podSelector.matchLabels).toEqual(labels);
  });

  test('the generated secret has the name and the keys that the deployment reads', () => {
    const [{ name, envs }] = kustomization.secretGenerator;
    expect(envs).toEqual(['secrets.env']);
    const read = containerOf(deployment).env.flatMap(({ valueFrom }: Yaml) =>
      valueFrom ? `${valueFrom.secretKeyRef.name} ${valueFrom.secretKeyRef.key}` : [],
    );
    expect(read.sort()).toEqual(
      Object.keys(secrets)
        .map((key) => `${name} ${key}`)
        .sort(),
    );
  });

  test('the gateway starts with the settings of the overlay', () => {
    const values = containerOf(deployment).env.filter(({ value }: Yaml) => value !== undefined);
    const settings = readSettings({
      HOST: '0.0.0.0',
      ...secrets,
      ...Object.fromEntries(values.map(({ name, value }: Yaml) => [name, value])),
    });
    expect(settings.tracing.isEnabled).toBe(true);
    expect(settings.cache.maxBytes).toBe(192 * 2 ** 20);
  });

  test('the heap and the memory limit grow with the cache', () => {
    const before = mebibytesOf(containerOf(readYaml('kubernetes/deployment.yaml')));
    const after = mebibytesOf(containerOf(deployment));
    const growth = after.cache - before.cache;
    expect(growth).toBe(128);
    expect(after).toEqual({
      cache: before.cache + growth,
      heap: before.heap + growth,
      limit: before.limit + growth,
    });
  });

  // A machine without kubectl has only the tests above, which merge the patches themselves.
  if (hasKubectl)
    test('kubectl renders the overlay as the tests merge it', () => {
      const rendered = render();
      for (const object of rendered) expect(() => validate(object)).not.toThrow();
      expect(rendered.map(({ metadata }) => metadata.namespace)).toEqual(
        rendered.map(() => 'revox'),
      );
      const find = (kind: string) => rendered.filter((object) => object.kind === kind);

      const [{ newName, newTag }] = kustomization.images;
      const [secret] = find('Secret');
      const { image, env, resources } = containerOf(find('Deployment')[0]);
      expect(image).toBe(`${newName}:${newTag}`);
      expect(resources).toEqual(containerOf(deployment).resources);
      expect(secret.metadata.name).toMatch(/^revox-gateway-\w+$/);
      const withoutHash = JSON.stringify(env).replaceAll(secret.metadata.name, 'revox-gateway');
      const sorted = (variables: Yaml[]) =>
        variables.toSorted((a, b) => a.name.localeCompare(b.name));
      expect(sorted(JSON.parse(withoutHash))).toEqual(sorted(containerOf(deployment).env));
      expect(find('HorizontalPodAutoscaler')[0].spec).toEqual(
        merged.find(({ kind }) => kind === 'HorizontalPodAutoscaler').spec,
      );
      expect(find('NetworkPolicy').map(({ metadata }) => metadata.name)).toEqual([
        'revox-gateway',
        'revox-gateway-own-services',
      ]);
    });
});
