import {
  type ASTNode,
  buildASTSchema,
  type ConstDirectiveNode,
  DangerousChangeType,
  type DocumentNode,
  findBreakingChanges,
  findDangerousChanges,
  type GraphQLSchema,
  isScalarType,
  Kind,
  parse,
  visit,
} from 'graphql';

/** Days between the release that deprecates an element and its removal. */
export const DEPRECATION_DAYS = 90;

const DAY_MS = 86_400_000;

/** Clients must handle these changes, so the changelog announces them. */
const ANNOUNCED: readonly string[] = [
  DangerousChangeType.VALUE_ADDED_TO_ENUM,
  DangerousChangeType.TYPE_ADDED_TO_UNION,
  DangerousChangeType.IMPLEMENTED_INTERFACE_ADDED,
];

export interface Evolution {
  /** The SDL of the last release. */
  readonly released: string;
  readonly current: string;
  /** The section *Schema* of the changelog for the next release. */
  readonly announcements: string;
  /** Today: an element whose removal date has passed may be removed. */
  readonly now: number;
  /** The earliest time at which the current schema is published. */
  readonly publishedAt: number;
}

/** The changes since the last release that the evolution policy does not allow. */
export function findEvolutionProblems(evolution: Evolution): string[] {
  const current = parse(evolution.current);
  const released = withoutRemoved(parse(evolution.released), current, evolution.now);
  const [before, after] = [buildASTSchema(released), buildASTSchema(current)];
  return [
    ...findBreakingChanges(before, after).map(({ description }) => description),
    ...findChangedScalars(before, after),
    ...findUnannounced(before, after, evolution.announcements),
    ...findDeprecationProblems(released, current, evolution.publishedAt),
  ];
}

/** The section *Schema* of the newest release in a changelog. */
export function readAnnouncements(changelog: string): string {
  const [, newest = ''] = changelog.split(/^## /m);
  const section = newest.split(/^### /m).find((text) => text.startsWith('Schema\n'));
  return section ?? '';
}

/** The released schema without what was removed after its removal date. */
function withoutRemoved(released: DocumentNode, current: DocumentNode, now: number): DocumentNode {
  const present = new Set(coordinatesOf(current).keys());
  const due = new Set(
    [...deprecationsOf(released)]
      .filter(([name, { removal }]) => !present.has(name) && Date.parse(removal ?? '') <= now)
      .map(([, { node }]) => node),
  );
  return visit(released, { enter: (node) => (due.has(node) ? null : undefined) });
}

/** A scalar with another specification has other values. */
function findChangedScalars(before: GraphQLSchema, after: GraphQLSchema): string[] {
  return Object.values(before.getTypeMap()).flatMap((type) => {
    const changed = after.getType(type.name);
    return isScalarType(type) &&
      isScalarType(changed) &&
      type.specifiedByURL !== changed.specifiedByURL
      ? [`${type.name} has another specification.`]
      : [];
  });
}

/** New enum values, union members and interfaces that the changelog does not name. */
function findUnannounced(
  before: GraphQLSchema,
  after: GraphQLSchema,
  announcements: string,
): string[] {
  return findDangerousChanges(before, after).flatMap(({ type, description }) => {
    if (type === DangerousChangeType.ARG_DEFAULT_VALUE_CHANGE) return [description];
    if (!ANNOUNCED.includes(type)) return [];
    // "PAUSED was added to enum type CallStatus."
    const words = description.slice(0, -1).split(' ');
    const names = [words.at(0), words.at(-1)];
    return names.every((name) => announcements.includes(`\`${name}\``))
      ? []
      : [
          `${description} The section "Schema" of the changelog must name \`${names.join('` and `')}\`.`,
        ];
  });
}

interface Deprecation {
  readonly node: ASTNode;
  /** The date after which the element may be removed; undefined if the reason has none. */
  readonly removal: string | undefined;
}

function findDeprecationProblems(
  released: DocumentNode,
  current: DocumentNode,
  publishedAt: number,
): string[] {
  const known = deprecationsOf(released);
  return [...deprecationsOf(current)].flatMap(([name, { removal }]) => {
    if (removal === undefined || Number.isNaN(Date.parse(removal)))
      return [
        `The reason of the deprecation of ${name} must end with "Removal: not before YYYY-MM-DD."`,
      ];
    const promised = known.get(name)?.removal;
    if (promised !== undefined)
      return removal < promised
        ? [`The removal of ${name} was announced for ${promised}, and must not be earlier.`]
        : [];
    return Date.parse(removal) < publishedAt + DEPRECATION_DAYS * DAY_MS
      ? [`The removal of ${name} must be ${DEPRECATION_DAYS} days after the release, or later.`]
      : [];
  });
}

function deprecationsOf(document: DocumentNode): ReadonlyMap<string, Deprecation> {
  const deprecations = new Map<string, Deprecation>();
  for (const [name, node] of coordinatesOf(document)) {
    const reason = 'directives' in node && reasonOf(node.directives as ConstDirectiveNode[]);
    if (typeof reason === 'string')
      deprecations.set(name, {
        node,
        removal: /Removal: not before (\d{4}-\d\d-\d\d)\.$/.exec(reason)?.[1],
      });
  }
  return deprecations;
}

/** The reason of `@deprecated`; undefined without the directive. */
function reasonOf(directives: readonly ConstDirectiveNode[] = []): string | undefined {
  const deprecated = directives.find(({ name }) => name.value === 'deprecated');
  const value = deprecated?.arguments?.[0]?.value;
  return deprecated && (value?.kind === Kind.STRING ? value.value : '');
}

/** The elements that can be deprecated: `Type.field`, `Type.field(argument:)`, `Enum.VALUE`. */
function coordinatesOf(document: DocumentNode): ReadonlyMap<string, ASTNode> {
  const nodes = new Map<string, ASTNode>();
  for (const definition of document.definitions) {
    const type = 'name' in definition ? definition.name?.value : undefined;
    if ('values' in definition)
      for (const value of definition.values ?? []) nodes.set(`${type}.${value.name.value}`, value);
    if (!('fields' in definition)) continue;
    for (const field of definition.fields ?? []) {
      const name = `${type}.${field.name.value}`;
      nodes.set(name, field);
      if ('arguments' in field)
        for (const argument of field.arguments ?? [])
          nodes.set(`${name}(${argument.name.value}:)`, argument);
    }
  }
  return nodes;
}
