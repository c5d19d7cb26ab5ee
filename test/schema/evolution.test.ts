import { readFileSync } from 'node:fs';
import { parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import {
  DEPRECATION_DAYS,
  findEvolutionProblems,
  readAnnouncements,
} from '../../codegen/schema-evolution.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

describe('Client schema', () => {
  test('the client schema has changed since the last release only as the evolution policy allows', () => {
    const released = read('sdl/released/client.graphql');
    const [releaseDate] = /\d{4}-\d\d-\d\d/.exec(released.split('\n')[0]!)!;
    expect(
      findEvolutionProblems({
        released,
        current: read('sdl/client.graphql'),
        announcements: readAnnouncements(read('CHANGELOG.md')),
        now: Date.now(),
        // The next release is not before the last one.
        publishedAt: Date.parse(releaseDate),
      }),
    ).toEqual([]);
  });

  test('the changelog has a section of the schema for the next release', () => {
    expect(readAnnouncements(read('CHANGELOG.md'))).toMatch(/^Schema\n\n- /);
  });

  test('every deprecation names what to use instead', () => {
    const reasons = Array.from(
      read('sdl/client.graphql').matchAll(/@deprecated(?:\(reason: "(.*?)"\))?/g),
      ([, reason]) => reason,
    );
    expect(reasons.length).toBeGreaterThan(0);
    for (const reason of reasons) expect(reason).toMatch(/Use `.*Removal: not before/);
  });
});

const NOW = Date.parse('2027-01-01');
const RELEASED = `
  scalar Time @specifiedBy(url: "https://example.test/rfc3339")
  interface Named { name: String }
  union Pet = Cat | Dog
  type Cat { name: String }
  type Dog implements Named { name: String }
  enum Color { RED GREEN OLD @deprecated(reason: "Use RED. Removal: not before 2026-12-31.") }
  type Query {
    cat(color: Color, size: Int = 1, first: Int @deprecated(reason: "Use size. Removal: not before 2026-12-31.")): Cat
    due: Int @deprecated(reason: "Use cat. Removal: not before 2026-12-31.")
    later: Int @deprecated(reason: "Use cat. Removal: not before 2027-03-01.")
    plain: Int!
    pet: Pet
    time: Time
  }
`;

/** @param change applies to the released schema; its first text must occur in it */
function findProblems(change: readonly [string, string] | undefined, announcements = '') {
  if (change) expect(RELEASED).toContain(change[0]);
  const current = change ? RELEASED.replace(...change) : RELEASED;
  expect(() => parse(current)).not.toThrow();
  return findEvolutionProblems({
    released: RELEASED,
    current,
    announcements,
    now: NOW,
    publishedAt: NOW,
  });
}

const day = (offset: number) => new Date(NOW + offset * 86_400_000).toISOString().slice(0, 10);

describe('Evolution policy', () => {
  test('no change is no problem', () => {
    expect(findProblems(undefined)).toEqual([]);
  });

  test.each<[string, readonly [string, string], string]>([
    ['a field is removed', ['plain: Int!', ''], 'Query.plain was removed.'],
    [
      'a deprecated field is removed before its date',
      ['later: Int @deprecated(reason: "Use cat. Removal: not before 2027-03-01.")', ''],
      'Query.later was removed.',
    ],
    [
      'a non-null field becomes nullable',
      ['plain: Int!', 'plain: Int'],
      'Query.plain changed type from Int! to Int.',
    ],
    [
      'a field has another type',
      ['plain: Int!', 'plain: Float!'],
      'Query.plain changed type from Int! to Float!.',
    ],
    ['an argument is removed', ['color: Color, ', ''], 'Query.cat arg color was removed.'],
    [
      'an argument becomes required',
      ['color: Color,', 'color: Color!,'],
      'Query.cat arg color has changed type from Color to Color!.',
    ],
    [
      'a required argument is added',
      ['cat(', 'cat(owner: ID!, '],
      'A required arg owner on Query.cat was added.',
    ],
    [
      'a default changes',
      ['size: Int = 1', 'size: Int = 2'],
      'Query.cat arg size has changed defaultValue from 1 to 2.',
    ],
    ['an enum value is removed', ['GREEN', ''], 'GREEN was removed from enum type Color.'],
    ['a union member is removed', ['Cat | Dog', 'Cat'], 'Dog was removed from union type Pet.'],
    [
      'an interface is removed',
      [' implements Named', ''],
      'Dog no longer implements interface Named.',
    ],
    [
      'a scalar has another specification',
      ['rfc3339', 'unix-time'],
      'Time has another specification.',
    ],
  ])('a problem is reported if %s', (_, change, problem) => {
    expect(findProblems(change)).toEqual([problem]);
  });

  test.each<[string, readonly [string, string]]>([
    ['a field', ['due: Int @deprecated(reason: "Use cat. Removal: not before 2026-12-31.")', '']],
    ['an enum value', ['OLD @deprecated(reason: "Use RED. Removal: not before 2026-12-31.")', '']],
    [
      'an argument',
      [', first: Int @deprecated(reason: "Use size. Removal: not before 2026-12-31.")', ''],
    ],
  ])('%s may be removed after its removal date', (_, change) => {
    expect(findProblems(change)).toEqual([]);
  });

  test.each<[string, readonly [string, string]]>([
    ['a field', ['plain: Int!', 'plain: Int! more: Int']],
    ['an optional argument', ['cat(', 'cat(owner: ID, ']],
    ['a type', ['type Query', 'type New { id: ID } type Query']],
    ['non-null', ['pet: Pet', 'pet: Pet!']],
    ['a description', ['plain: Int!', '"A number." plain: Int!']],
  ])('%s may be added without an announcement', (_, change) => {
    expect(findProblems(change)).toEqual([]);
  });

  test.each<[string, readonly [string, string], string, string]>([
    ['an enum value', ['GREEN', 'GREEN BLUE'], 'BLUE', 'Color'],
    ['a union member', ['Cat | Dog', 'Cat | Dog | Query'], 'Query', 'Pet'],
    ['an interface', ['type Cat {', 'type Cat implements Named {'], 'Named', 'Cat'],
  ])('%s may be added only if the changelog names it', (_, change, added, type) => {
    expect(findProblems(change)).toEqual([expect.stringContaining(`\`${added}\` and \`${type}\``)]);
    expect(findProblems(change, `- \`${type}\` has \`other\`.`)).toHaveLength(1);
    expect(findProblems(change, `- \`${type}\` has \`${added}\`.`)).toEqual([]);
  });

  test('a deprecation needs a removal date at least ninety days after the release', () => {
    const deprecate = (reason: string) =>
      findProblems(['plain: Int!', `plain: Int! @deprecated${reason}`]);
    const onDay = (offset: number) =>
      deprecate(`(reason: "Use cat. Removal: not before ${day(offset)}.")`);
    expect(onDay(DEPRECATION_DAYS)).toEqual([]);
    expect(onDay(DEPRECATION_DAYS - 1)).toEqual([
      'The removal of Query.plain must be 90 days after the release, or later.',
    ]);
    for (const reason of [
      '',
      '(reason: "Use cat.")',
      '(reason: "Removal: not before 2027-13-45.")',
    ])
      expect(deprecate(reason)).toEqual([
        'The reason of the deprecation of Query.plain must end with "Removal: not before YYYY-MM-DD."',
      ]);
  });

  test('a removal date may become later, and not earlier', () => {
    expect(findProblems(['2027-03-01', '2027-04-01'])).toEqual([]);
    expect(findProblems(['2027-03-01', '2027-02-01'])).toEqual([
      'The removal of Query.later was announced for 2027-03-01, and must not be earlier.',
    ]);
  });
});

describe('Announcements of the changelog', () => {
  test('only the section Schema of the newest release counts', () => {
    const changelog = [
      '# Changelog',
      '## 2.0.0 (unreleased)\n\n### Added\n\n- `A`\n\n### Schema\n\n- `B`\n\n### Fixed\n\n- `C`',
      '## 1.0.0\n\n### Schema\n\n- `D`',
    ].join('\n\n');
    expect(readAnnouncements(changelog)).toBe('Schema\n\n- `B`\n\n');
    expect(readAnnouncements('## 1.0.0\n\n### Added\n\n- `A`\n')).toBe('');
  });
});
