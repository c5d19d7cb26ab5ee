import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { SettingsError } from '#config/settings.ts';
import { readTrustedDocuments, type TrustedDocumentFile } from '#config/trusted-documents.ts';
import { writeDocuments } from '../support/document-files.ts';

/** The path of one file, or of the directory that contains all files. */
function write(files: Parameters<typeof writeDocuments>[0], path = ''): string {
  const directory = writeDocuments(files);
  return path === '' ? directory : join(directory, path);
}

/** The documents keyed by id; `file` is relative to the directory. */
function read(path: string): { [id: string]: { text: string; file: string } } {
  const toEntry = ({ id, text, file }: TrustedDocumentFile) => [
    id,
    { text, file: file.split(/documents-\w+\//).at(-1) },
  ];
  return Object.fromEntries(readTrustedDocuments(path).map(toEntry));
}

/** The problems, with the directory replaced by `…`. */
function problemsOf(path: string): readonly string[] {
  try {
    readTrustedDocuments(path);
  } catch (error) {
    if (error instanceof SettingsError)
      return error.problems.map((fault) => fault.replaceAll(/\S*documents-\w+/g, '…'));
    throw error;
  }
  return [];
}

const APOLLO = { format: 'apollo-persisted-query-manifest', version: 1 };
const A = 'query A { __typename }';
const B = 'query B { __typename }';
const KINDS =
  'Apollo\'s manifest (`"format": "apollo-persisted-query-manifest"`), or an object of ids and documents';

describe('Trusted documents', () => {
  test("TRUSTED_DOCUMENTS accepts Apollo's manifest", () => {
    const operations = [
      { id: 'a1', name: 'A', type: 'query', body: A },
      { id: 'b1', name: 'B', type: 'query', body: B, clientName: null },
    ];
    expect(read(write({ 'm.json': { ...APOLLO, operations } }, 'm.json'))).toEqual({
      a1: { text: A, file: 'm.json' },
      b1: { text: B, file: 'm.json' },
    });
  });

  test('TRUSTED_DOCUMENTS accepts the map of Relay, graphql-codegen and gql.tada, and the prefix `sha256:` is not part of an id', () => {
    expect(
      read(
        write(
          { 'persisted-documents.json': { a1: A, 'sha256:b1': B } },
          'persisted-documents.json',
        ),
      ),
    ).toEqual({
      a1: { text: A, file: 'persisted-documents.json' },
      b1: { text: B, file: 'persisted-documents.json' },
    });
  });

  test('TRUSTED_DOCUMENTS accepts a manifest with any file name, with or without a byte order mark', () => {
    expect(read(write({ manifest: `\uFEFF${JSON.stringify({ a: A })}` }, 'manifest'))).toEqual({
      a: { text: A, file: 'manifest' },
    });
  });

  test.each(['A.graphql', 'A.gql'])('TRUSTED_DOCUMENTS accepts a document file: %s', (file) => {
    expect(read(write({ [file]: `${A}\n` }, file))).toEqual({ A: { text: `${A}\n`, file } });
  });

  test('TRUSTED_DOCUMENTS accepts a directory tree with all of these files and ignores other files', () => {
    const path = write({
      'web/apollo.json': { ...APOLLO, operations: [{ id: 'w', body: A }] },
      'web/relay/map.json': { r: B },
      'ios/A.graphql': A,
      'B.gql': B,
      'README.md': 'no document',
      'schema.graphqls': 'type Query { a: Int }',
      '.hidden.json': 'no JSON',
      '..data/map.json': 'no JSON',
    });
    symlinkSync('.', join(path, 'loop'));
    symlinkSync('.', join(path, 'loop.json'));
    symlinkSync(join(path, 'web/relay/map.json'), join(path, 'link.json'));
    expect(
      readTrustedDocuments(path).map(({ id, file }) => [id, file.slice(path.length + 1)]),
    ).toEqual([
      ['B', 'B.gql'],
      ['A', 'ios/A.graphql'],
      ['r', 'link.json'],
      ['w', 'web/apollo.json'],
    ]);
  });

  test('TRUSTED_DOCUMENTS accepts documents with any text as id and any text as content', () => {
    const map = '{ "__proto__": "query A { __typename }", "constructor": "nonsense", "é ü": "" }';
    expect(
      readTrustedDocuments(write({ 'm.json': map }, 'm.json')).map(({ id, text }) => [id, text]),
    ).toEqual([
      ['__proto__', A],
      ['constructor', 'nonsense'],
      ['é ü', ''],
    ]);
  });

  test('TRUSTED_DOCUMENTS accepts the same document several times, under one id or several', () => {
    const path = write({
      'a.json': { a: A, other: A },
      'b.json': { a: A, 'sha256:a': A },
      'a.graphql': A,
    });
    expect(Object.keys(read(path)).sort()).toEqual(['a', 'other']);
  });
});

describe('Rejected trusted documents', () => {
  const NO_ID = 'it must be a non-empty string.';

  test.each([
    {
      name: 'a file without JSON',
      content: '{ "a": ',
      problems: [`is not JSON: it must be ${KINDS}.`],
    },
    { name: 'an empty file', content: '', problems: [`is not JSON: it must be ${KINDS}.`] },
    { name: 'a JSON list', content: [['a', A]], problems: [`must be ${KINDS}.`] },
    { name: 'a JSON null', content: 'null', problems: [`must be ${KINDS}.`] },
    { name: 'a JSON string', content: '"query"', problems: [`must be ${KINDS}.`] },
    {
      name: 'a file without UTF-8',
      content: new Uint8Array([0x7b, 0xff, 0x7d]),
      problems: ['must be UTF-8.'],
    },
    {
      name: 'another format',
      content: { format: 'unknown-format', version: 1, operations: [] },
      problems: [`has an unknown \`format\`: it must be ${KINDS}.`],
    },
    {
      name: 'another version',
      content: { ...APOLLO, version: 2, operations: [] },
      problems: ['must have `version` 1.'],
    },
    {
      name: 'a manifest without operations',
      content: { ...APOLLO },
      problems: ['must have a list of `operations`.'],
    },
    {
      name: 'a map of operations',
      content: { ...APOLLO, operations: { a: A } },
      problems: ['must have a list of `operations`.'],
    },
    {
      name: 'invalid ids and invalid documents',
      content: {
        ...APOLLO,
        operations: [
          { id: 5, body: A },
          { body: A },
          { id: '', body: A },
          { id: 'a' },
          null,
          { id: 'b', body: B },
        ],
      },
      problems: [
        `has no id in \`operations[0]\`: ${NO_ID}`,
        `has no id in \`operations[1]\`: ${NO_ID}`,
        `has no id in \`operations[2]\`: ${NO_ID}`,
        'has no document in `operations[3]`: it must be a string.',
        `has no id in \`operations[4]\`: ${NO_ID}`,
      ],
    },
    {
      name: 'a map of other values',
      content: { '': A, a: { body: A }, b: null, c: 5 },
      problems: [
        `has no id at "": ${NO_ID}`,
        'has no document at "a": it must be a string.',
        'has no document at "b": it must be a string.',
        'has no document at "c": it must be a string.',
      ],
    },
  ])('TRUSTED_DOCUMENTS rejects $name', ({ content, problems }) => {
    const messages = problems.map((fault) => `TRUSTED_DOCUMENTS: …/m.json ${fault}`);
    expect(problemsOf(write({ 'm.json': content }, 'm.json'))).toEqual(messages);
    expect(problemsOf(write({ 'm.json': content, 'good.json': { good: A } }))).toEqual(messages);
  });

  test('TRUSTED_DOCUMENTS rejects a path that does not exist', () => {
    expect(problemsOf(write({}, 'nowhere/m.json'))).toEqual([
      'TRUSTED_DOCUMENTS: …/nowhere/m.json does not exist.',
    ]);
  });

  test('TRUSTED_DOCUMENTS rejects a path that is neither a file nor a directory', () => {
    expect(problemsOf('/dev/null')).toEqual([
      'TRUSTED_DOCUMENTS: /dev/null is neither a file nor a directory.',
    ]);
  });

  test('TRUSTED_DOCUMENTS rejects a file that cannot be read', () => {
    expect(problemsOf(write({ 'm.json': { a: A } }, 'm.json/n.json'))).toEqual([
      'TRUSTED_DOCUMENTS: …/m.json/n.json cannot be read (ENOTDIR).',
    ]);
  });

  test('TRUSTED_DOCUMENTS rejects a broken link', () => {
    const path = write({ 'a.json': { a: A } });
    symlinkSync('nowhere', join(path, 'b.json'));
    expect(problemsOf(path)).toEqual(['TRUSTED_DOCUMENTS: …/b.json does not exist.']);
  });

  test.each([
    { name: 'an empty directory', files: {} },
    { name: 'a directory of other files', files: { 'README.md': A } },
    { name: 'an empty manifest', files: { 'm.json': {} } },
  ])('TRUSTED_DOCUMENTS rejects a source without documents: $name', ({ files }) => {
    expect(problemsOf(write(files))).toEqual([
      'TRUSTED_DOCUMENTS: … contains no document: it must contain manifests or GraphQL documents.',
    ]);
  });

  test('TRUSTED_DOCUMENTS rejects two documents with the same id, in one file or in two', () => {
    const operations = [
      { id: 'a', body: A },
      { id: 'sha256:a', body: B },
    ];
    const path = write({ 'm.json': { ...APOLLO, operations }, 'n/a.graphql': B, 'o/a.graphql': A });
    expect(problemsOf(path)).toEqual([
      'TRUSTED_DOCUMENTS: …/m.json has a different document with the id "a" than …/m.json.',
      'TRUSTED_DOCUMENTS: …/n/a.graphql has a different document with the id "a" than …/m.json.',
    ]);
  });
});

test('a problem quotes at most a hundred characters of an id, on one line', () => {
  const id = `\n${'x'.repeat(98)}yz`;
  expect(problemsOf(write({ 'a.json': { [id]: 5 } }))).toEqual([
    `TRUSTED_DOCUMENTS: …/a.json has no document at "\\n${'x'.repeat(98)}y": it must be a string.`,
  ]);
});

test('all problems of the trusted documents are reported at once, without their content', () => {
  const secret = 'query Secret { __typename }';
  const path = write({
    'a.json': `{ "x": "${secret}", `,
    'b.json': { x: [secret] },
    'c.gql': new Uint8Array([0xff]),
    'd.json': { y: secret },
    'e.json': { y: A },
  });
  const problems = problemsOf(path);
  expect(problems.map((fault) => fault.split(' ')[1])).toEqual([
    '…/a.json',
    '…/b.json',
    '…/c.gql',
    '…/e.json',
  ]);
  expect(problems.join()).not.toContain('Secret');
});
