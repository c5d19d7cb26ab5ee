import type { VariableDefinitionNode } from 'graphql';

/**
 * No argument of the schema nests deeper. Deeper variables have no key, so that recursion over a
 * request is bounded.
 */
const MAX_NESTING_DEPTH = 10;

/**
 * The declared variables of an operation as a canonical string: whitespace, the order of
 * properties, and variables that the operation does not declare make no difference. An absent
 * variable, null, and a number that JSON cannot write stay distinct. Undefined for variables that
 * nest too deep.
 */
export function toVariablesKey(
  definitions: readonly VariableDefinitionNode[] = [],
  variables: { readonly [name: string]: unknown } = {},
): string | undefined {
  let key = '';
  for (const { variable } of definitions) {
    const name = variable.name.value;
    if (!Object.hasOwn(variables, name)) continue;
    const value = variables[name];
    if (!isWithinDepth(MAX_NESTING_DEPTH, value)) return undefined;
    key += `${name}:${toCanonicalText(value)} `;
  }
  return key;
}

function isString(value: unknown): boolean {
  return typeof value === 'string';
}

function isWithinDepth(depth: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return depth > 0 && Object.values(value).every((inner) => isWithinDepth(depth - 1, inner));
}

function toCanonicalText(value: unknown): string {
  // One call for a whole list of strings: a call for each of a hundred ids takes three times as
  // long.
  if (isString(value) || (Array.isArray(value) && value.every(isString)))
    return JSON.stringify(value);
  // Not `JSON.stringify`: it writes 1e400 as null.
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return `[${value.map(toCanonicalText).join()}]`;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([name, inner]) => `${JSON.stringify(name)}:${toCanonicalText(inner)}`).join()}}`;
}
