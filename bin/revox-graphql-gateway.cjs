#!/usr/bin/env node
/**
 * Starts the program, or says in one sentence why this installation cannot run it. It is JavaScript
 * that Node.js 12 can parse: an older Node.js would fail at the first TypeScript file
 * (`ERR_UNKNOWN_FILE_EXTENSION`), or inside a package.
 *
 * `node --` before the path of this file keeps Node.js from reading `--env-file` itself.
 */
'use strict';

const manifest = require('../package.json');

// The package has compiled files instead (build.ts).
const MAIN = '../src/main.ts';

/**
 * Node.js keeps compiled code here, and writes it when the process ends. Later starts take half of
 * the CPU time, because they neither strip types nor compile. A process that may write into
 * `node_modules` could change the code that runs there anyway; in the folder for temporary files,
 * the default of Node.js, another user could put code. `NODE_COMPILE_CACHE` names another folder,
 * and `NODE_DISABLE_COMPILE_CACHE=1` turns the cache off.
 */
const COMPILE_CACHE = `${__dirname}/../node_modules/.cache/revox-graphql-gateway`;

const MIN_VERSION = manifest.engines.node.replace('>=', '');

if (isOlder(process.versions.node, MIN_VERSION)) {
  fail(explainOldNode());
} else {
  // It does not throw: without a folder that it can write, Node.js has no cache.
  process.getBuiltinModule('module').enableCompileCache(COMPILE_CACHE);
  import(MAIN).catch((error) => {
    const sentence = explainImportError(error);
    if (sentence === undefined) throw error;
    fail(sentence);
  });
}

function isOlder(version, minimum) {
  const [major, minor] = version.split('.').map(Number);
  const [minMajor, minMinor = 0] = minimum.split('.').map(Number);
  return major < minMajor || (major === minMajor && minor < minMinor);
}

function explainOldNode() {
  const own = `Node.js ${process.versions.node} (${process.execPath}) is too old: the gateway requires ${MIN_VERSION} or newer`;
  if (isPackage()) return `${own}. Install a newer Node.js, for example from https://nodejs.org.`;
  if (!exists('../node_modules/graphql/package.json')) return explainMissingPackages();
  if (!exists('../node_modules/node/bin/node')) {
    return `${own}, and the Node.js that npm installs for the gateway is missing, because scripts were disabled. Run \`npm ci --ignore-scripts=false\`.`;
  }
  return `${own}. Use npm start, npm run demo or npm run doctor: they run the Node.js that npm has installed for the gateway.`;
}

function explainImportError(error) {
  if (!error || typeof error !== 'object') return undefined;
  if (error.code === 'ERR_MODULE_NOT_FOUND' && /^Cannot find package /.test(error.message)) {
    return explainMissingPackages();
  }
  if (error.code === 'ERR_UNKNOWN_FILE_EXTENSION' || error.code === 'ERR_NO_TYPESCRIPT') {
    return `This Node.js (${process.execPath}) does not run TypeScript, because of NODE_OPTIONS or because it was built without. Use another, for example that of \`npm ci --ignore-scripts=false\`, which npm start runs.`;
  }
  return undefined;
}

function explainMissingPackages() {
  return isPackage()
    ? 'A package that the gateway requires is not installed. Install the gateway again, for example by `npm install`.'
    : 'The packages of the gateway are not installed. Run `npm ci`: it installs them, and a Node.js to run the gateway.';
}

function isPackage() {
  return !MAIN.endsWith('.ts');
}

function exists(path) {
  try {
    require.resolve(path);
    return true;
  } catch (_) {
    return false;
  }
}

function fail(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exitCode = 1;
}
