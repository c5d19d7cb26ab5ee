import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { printSchema } from 'graphql';
import type { ConcreteRequest, ReaderFragment } from 'relay-runtime';
import { createSchema } from '#resolvers/schema.ts';

export interface CompiledRelayApp extends AsyncDisposable {
  query(name: string): ConcreteRequest;
  fragment(name: string): ReaderFragment;
}

/** The compiler (118 MB) is among the packages of this application only. */
const EXAMPLE = join(import.meta.dirname, '../../examples/relay/package.json');

/** Compiles `relay-app` against the real schema with Relay's own compiler. */
export async function compileRelayApp(): Promise<CompiledRelayApp> {
  const compiler = findCompiler();
  const folder = await mkdtemp(join(tmpdir(), 'relay-app-'));
  const artifacts = join(folder, 'artifacts');
  const sources = join(import.meta.dirname, 'relay-app');
  await mkdir(join(folder, 'src'));
  for (const name of await readdir(sources)) {
    // The compiler's TypeScript artifacts are ES modules with bare type imports, which Node.js
    // cannot load. With `language: javascript` the compiler reads only JavaScript, so the sources
    // are copied as `.js`.
    await copyFile(join(sources, name), join(folder, 'src', `${basename(name, '.ts')}.js`));
  }
  // The compiler does not create this directory.
  await mkdir(artifacts);
  await writeFile(join(folder, 'schema.graphql'), printSchema(createSchema()));
  await writeFile(
    join(folder, 'relay.config.json'),
    JSON.stringify({
      src: 'src',
      schema: 'schema.graphql',
      artifactDirectory: 'artifacts',
      language: 'javascript',
      // CommonJS loads in Node.js without a bundler.
      eagerEsModules: false,
    }),
  );
  await promisify(execFile)(compiler, ['relay.config.json'], {
    cwd: folder,
    env: { ...process.env, FORCE_NO_WATCHMAN: '1' },
  });

  const require = createRequire(join(artifacts, 'artifacts.cjs'));
  return {
    query: (name) => require(`./${name}.graphql.js`) as ConcreteRequest,
    fragment: (name) => require(`./${name}.graphql.js`) as ReaderFragment,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

function findCompiler(): string {
  const require = createRequire(EXAMPLE);
  let compiler: string | null;
  try {
    compiler = require('relay-compiler');
  } catch (cause) {
    throw new Error('relay-compiler is missing. Run `npm run install:examples`.', { cause });
  }
  if (!compiler) throw new Error('relay-compiler has no binary for this machine.');
  return compiler;
}
