import { globSync, readFileSync } from 'node:fs';
import { join, matchesGlob } from 'node:path';
import { expect, test } from 'vitest';
import config from '../vitest.config.ts';

const ROOT = join(import.meta.dirname, '..');
/** The routers of the tests are installed below `test`. */
const FILES = { cwd: ROOT, exclude: ['**/node_modules'] };
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

interface Project {
  readonly name: string;
  readonly include: readonly string[];
  readonly exclude?: readonly string[];
}

/** The projects that `.ci/run` runs, each as often as it runs. */
function readProjectsOfCi(): Project[] {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const commands = [...read('.ci/run').matchAll(/^npm (?:run )?(test\S*)/gm)];
  const names = commands.flatMap(([, script = '']) =>
    [...(scripts[script] ?? '').matchAll(/--project (\S+)/g)].map(([, name]) => name),
  );
  const projects = (config.test?.projects ?? []).flatMap((one) =>
    typeof one === 'object' && 'test' in one ? [one.test as Project] : [],
  );
  return names.flatMap((name) => projects.filter((project) => project.name === name));
}

const projectsOfCi = readProjectsOfCi();

function projectsOf(file: string): string[] {
  const matches = (pattern: string) => matchesGlob(file, pattern);
  return projectsOfCi
    .filter(({ include, exclude = [] }) => include.some(matches) && !exclude.some(matches))
    .map(({ name }) => name);
}

const PIPELINES = ['yoga-only', 'no-fast-path', 'no-planned-execution', 'no-response-cache'];

test('CI runs every test file in one project, beside those of the pipelines', () => {
  const files = globSync(
    'test/**/*.{test,browser,deploy,examples,faults,ops,redis,routers,security,soak}.ts',
    FILES,
  );
  expect(files.length).toBeGreaterThan(300);
  const wrong = files
    .map((file) => ({
      file,
      projects: projectsOf(file).filter((name) => !PIPELINES.includes(name)),
    }))
    .filter(({ projects }) => projects.length !== 1);
  expect(wrong).toEqual([]);
});

test('a test file that the configuration lists exists', () => {
  const patterns = projectsOfCi.flatMap(({ include, exclude = [] }) => [...include, ...exclude]);
  const missing = patterns.filter(
    (pattern) => /^(test|bench)\//.test(pattern) && globSync(pattern, FILES).length === 0,
  );
  expect(missing).toEqual([]);
});

test('the pipelines run the integration tests, and not those that no pipeline can affect', () => {
  expect(projectsOf('test/integration/errors.test.ts').sort()).toEqual(
    [...PIPELINES, 'unit'].sort(),
  );
  expect(projectsOf('test/sockets/slow-clients.test.ts')).toEqual(['real-time', 'yoga-only']);
  expect(projectsOf('test/sockets/web-sockets.test.ts')).toEqual(['real-time']);
  expect(projectsOf('test/http/fast-path.test.ts')).toEqual(['pipeline-comparisons']);
});

test('a test that waits for a condition says for how long: the default of a second is too short', () => {
  const waits = globSync('{test,bench}/**/*.ts', FILES).flatMap((file) => {
    const calls = read(file).matchAll(/^( *)\S.*\bvi\.wait(For|Until)\((.*;$|[\s\S]*?^\1\S.*;$)/gm);
    return Array.from(calls, ([call]) => ({ file, call }));
  });
  expect(waits.length).toBeGreaterThan(10);
  expect(waits.filter(({ call }) => !/\btimeout:|\bWAIT\b/.test(call))).toEqual([]);
});
