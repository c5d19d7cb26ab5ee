/**
 * Builds the package for other projects: `npm run build`, then `npm pack ./dist`.
 *
 * The package has a manifest of its own. The manifest of the repository installs Node.js, so that
 * the project runs on any machine. In a package, this would add 190 MB and another `node` to the
 * scripts of each project that installs it.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, posix } from 'node:path';
import ts from 'typescript';
import manifest from './package.json' with { type: 'json' };

const ROOT = import.meta.dirname;
const SOURCE = join(ROOT, 'src');
const DIST = join(ROOT, 'dist');

/** The program, with the file that it imports here and in the package. */
const PROGRAM = {
  path: manifest.bin['revox-graphql-gateway'],
  sourceMain: '../src/main.ts',
  builtMain: '../main.js',
};

/** An import of a file of the project, also of a type: `./file.ts` or `#layer/file.ts`. */
const IMPORT = /(\bfrom |\bimport |\bimport\()(['"])(#|\.{1,2}\/)([^'"]+)\.ts\2/g;

/**
 * The entry points for imports, and the module that each of them imports first. Without it, an old
 * Node.js would fail inside a dependency.
 */
const ENTRIES = ['index.js', 'sandbox/index.js'];
const VERSION_CHECK = 'check-node-version.js';

/** A link of Markdown to a file, with its label and that file. */
const FILE_LINK = /\[([^\]]+)\]\((?!https?:)([^)#]+)[^)]*\)/g;

rmSync(DIST, { recursive: true, force: true });
const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
const { status } = spawnSync(process.execPath, [compiler, '--project', 'tsconfig.build.json'], {
  cwd: ROOT,
  stdio: 'inherit',
});
if (status !== 0) process.exit(status ?? 1);

// TypeScript writes only the declarations: the imports of the code need other paths.
for (const path of filesIn(SOURCE, '.ts')) writeCode(path);
for (const path of filesIn(DIST, '.d.ts')) {
  writeFileSync(
    join(DIST, path),
    withRelativeImports(readFileSync(join(DIST, path), 'utf8'), path),
  );
}
for (const name of [
  'README.md',
  'ARCHITECTURE.md',
  'CHANGELOG.md',
  'SECURITY.md',
  'LICENSE',
  '.env.example',
  'docs',
  'sdl',
]) {
  cpSync(join(ROOT, name), join(DIST, name), { recursive: true });
}
cpSync(join(ROOT, 'sdl/client.graphql'), join(DIST, 'schema.graphql'));
for (const path of filesIn(DIST, '.md'))
  writeFileSync(join(DIST, path), withoutDeadLinks(readFileSync(join(DIST, path), 'utf8'), path));
writeFileSync(join(DIST, 'package.json'), `${JSON.stringify(toPackedManifest(), null, 2)}\n`);
writeProgram();
writeVersionCheck();

function filesIn(folder: string, ending: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith(ending),
  );
}

function writeCode(path: string): void {
  const target = path.replace(/\.ts$/, '.js');
  const { outputText, sourceMapText } = ts.transpileModule(
    readFileSync(join(SOURCE, path), 'utf8'),
    {
      fileName: basename(path),
      compilerOptions: {
        target: ts.ScriptTarget.ES2024,
        module: ts.ModuleKind.ESNext,
        verbatimModuleSyntax: true,
        sourceMap: true,
        inlineSources: true,
      },
    },
  );
  writeFileSync(join(DIST, target), withRelativeImports(outputText, path));
  writeFileSync(join(DIST, `${target}.map`), sourceMapText ?? '');
}

/** The package has no `imports` for `#layer/file.ts`, and no `.ts` files. */
function withRelativeImports(text: string, path: string): string {
  return text.replace(IMPORT, (_, before: string, quote: string, start: string, name: string) => {
    const target = start === '#' ? posix.relative(dirname(path), name) : `${start}${name}`;
    return `${before}${quote}${target.startsWith('.') ? target : `./${target}`}.js${quote}`;
  });
}

/** Removes links to files that the package does not contain: tests, sources, `deploy/`. */
function withoutDeadLinks(text: string, path: string): string {
  return text.replace(FILE_LINK, (link, label: string, target: string) =>
    existsSync(join(DIST, dirname(path), target)) ? link : label,
  );
}

function writeProgram(): void {
  const { path, sourceMain, builtMain } = PROGRAM;
  const text = readFileSync(join(ROOT, path), 'utf8');
  if (!text.includes(sourceMain)) throw new Error(`${path} does not import ${sourceMain}`);
  mkdirSync(join(DIST, dirname(path)));
  writeFileSync(join(DIST, path), text.replace(sourceMain, builtMain));
  chmodSync(join(DIST, path), 0o755);
}

function writeVersionCheck(): void {
  const minimum = manifest.engines.node.replace('>=', '');
  writeFileSync(
    join(DIST, VERSION_CHECK),
    `const { node } = process.versions;
const [major, minor] = node.split('.').map(Number);
const [minMajor, minMinor] = '${minimum}'.split('.').map(Number);
if (major < minMajor || (major === minMajor && minor < minMinor))
  throw new Error(\`Node.js \${node} (\${process.execPath}) is too old: ${manifest.name} requires ${minimum} or newer.\`);
`,
  );
  for (const entry of ENTRIES) {
    const path = join(DIST, entry);
    const specifier = `${entry.includes('/') ? '../' : './'}${VERSION_CHECK}`;
    // On the first line, which has a comment only: the source map stays right.
    writeFileSync(path, `import '${specifier}'; ${readFileSync(path, 'utf8')}`);
  }
}

function toPackedManifest() {
  const { name, version, description, keywords, license, type, engines, bin, dependencies } =
    manifest;
  const { node: _, ...needed } = dependencies;
  return {
    name,
    version,
    description,
    keywords,
    license,
    type,
    engines,
    bin,
    exports: {
      '.': { types: './index.d.ts', default: './index.js' },
      './sandbox': { types: './sandbox/index.d.ts', default: './sandbox/index.js' },
      './extensions': { types: './extensions.d.ts', default: './extensions.js' },
      './schema.graphql': './schema.graphql',
      './sdl/*': './sdl/*',
      './package.json': './package.json',
    },
    sideEffects: [`./${VERSION_CHECK}`],
    dependencies: needed,
  };
}
