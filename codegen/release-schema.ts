import { readFileSync, writeFileSync } from 'node:fs';
import { findEvolutionProblems, readAnnouncements } from './schema-evolution.ts';

/**
 * Makes the current client schema the schema of the last release: `npm run release:schema`, as part
 * of a release. Fails if the schema has changed in a way that the evolution policy does not allow.
 */
const ROOT = new URL('../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, ROOT), 'utf8');

const now = Date.now();
const current = read('sdl/client.graphql');
const problems = findEvolutionProblems({
  released: read('sdl/released/client.graphql'),
  current,
  announcements: readAnnouncements(read('CHANGELOG.md')),
  now,
  publishedAt: now,
});
if (problems.length > 0)
  throw new Error(`The schema must not be released:\n${problems.join('\n')}`);

const { version } = JSON.parse(read('package.json')) as { readonly version: string };
const header = [
  `# The client schema of the last release: ${version}, ${new Date(now).toISOString().slice(0, 10)}.`,
  '# Written by `npm run release:schema`.',
];
writeFileSync(new URL('sdl/released/client.graphql', ROOT), [...header, current].join('\n'));
