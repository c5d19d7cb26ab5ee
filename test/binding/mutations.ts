import fc from 'fast-check';

/** The path of a value in JSON. */
export type JsonPath = readonly (string | number)[];

/** How a value is mutated. */
export type MutationKind =
  | { readonly kind: 'drop' }
  | { readonly kind: 'replace'; readonly by: unknown }
  /** Turns a number into text, and numeric text into a number. */
  | { readonly kind: 'retype' }
  | { readonly kind: 'wrap'; readonly in: 'list' | 'object' };

export interface Mutation {
  /**
   * The kind of path, and the path of that kind. Any number is valid: it is taken modulo their
   * count.
   */
  readonly where: number;
  readonly which: number;
  readonly how: MutationKind;
}

const unexpectedValue = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    '',
    0,
    -1,
    1e300,
    0.1,
    true,
    [],
    {},
    [null],
    { id: null },
    { id: '..' },
    [[]],
    'newer',
    2 ** 31,
    2 ** 53,
  ),
  fc.jsonValue({ maxDepth: 4 }),
);
const mutationKind: fc.Arbitrary<MutationKind> = fc.oneof(
  fc.record({ kind: fc.constant('drop' as const) }),
  fc.record({ kind: fc.constant('replace' as const), by: unexpectedValue }),
  fc.record({ kind: fc.constant('retype' as const) }),
  fc.record({
    kind: fc.constant('wrap' as const),
    in: fc.constantFrom('list' as const, 'object' as const),
  }),
);

export function mutations({ maxLength }: { readonly maxLength: number }): fc.Arbitrary<Mutation[]> {
  return fc.array(fc.record({ where: fc.nat(), which: fc.nat(), how: mutationKind }), {
    minLength: 1,
    maxLength,
  });
}

/** A mutation at one path. */
export interface Change {
  readonly path: JsonPath;
  readonly how: MutationKind;
}

/** Resolves a mutation to a path in a response. */
export function toChange(
  json: unknown,
  isMeant: (path: JsonPath) => boolean = () => true,
): (mutation: Mutation) => Change {
  const groups = groupPaths(json, isMeant);
  return ({ where, which, how }) => {
    const group = groups[where % groups.length] ?? [];
    return { path: group[which % group.length] ?? [], how };
  };
}

/**
 * All matching paths, grouped by kind. Paths that differ only in their list indices are of one
 * kind: the hundredth utterance is no different from the first.
 */
export function groupPaths(json: unknown, isMeant: (path: JsonPath) => boolean): JsonPath[][] {
  const groups = new Map<string, JsonPath[]>();
  for (const path of pathsIn(json)) {
    if (!isMeant(path)) continue;
    const kind = path.map((key) => (typeof key === 'number' ? '*' : key)).join('.');
    groups.set(kind, [...(groups.get(kind) ?? []), path]);
  }
  return [...groups.values()];
}

function* pathsIn(json: unknown, path: JsonPath = []): Iterable<JsonPath> {
  if (path.length > 0) yield path;
  if (typeof json !== 'object' || json === null) return;
  for (const [key, value] of Object.entries(json))
    yield* pathsIn(value, [...path, Array.isArray(json) ? Number(key) : key]);
}

/**
 * A copy with the value at this path mutated. A path that does not exist leaves the copy unchanged.
 */
export function change(json: unknown, [first, ...others]: JsonPath, how: MutationKind): unknown {
  if (first === undefined) return mutateValue(json, how);
  if (typeof json !== 'object' || json === null || !(first in json)) return json;
  const isLast = others.length === 0;
  if (Array.isArray(json))
    return isLast && how.kind === 'drop'
      ? json.filter((_, index) => index !== first)
      : json.map((item, index) => (index === first ? change(item, others, how) : item));
  const { [first]: inner, ...rest } = json as Record<string, unknown>;
  return isLast && how.kind === 'drop' ? rest : { ...rest, [first]: change(inner, others, how) };
}

function mutateValue(value: unknown, how: MutationKind): unknown {
  switch (how.kind) {
    case 'drop':
      return undefined;
    case 'replace':
      return how.by;
    case 'retype':
      return typeof value === 'string' && Number.isFinite(Number(value))
        ? Number(value)
        : String(value);
    case 'wrap':
      return how.in === 'list' ? [value] : { value };
  }
}
