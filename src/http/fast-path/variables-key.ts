import type { VariableDefinitionNode } from 'graphql';

/** No argument of the schema is nested as deep. Deeper variables have no key, so that nothing recurses on input without a bound. */
const MAX_NESTING_DEPTH = 10;

/**
 * Names the variables that an operation uses: blanks, the order of properties and variables that it does not declare make no difference. An absent
 * variable, null, and a number that JSON cannot write are told apart. Undefined for variables that are nested too deep.
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
  // In one call for a list of a hundred ids: a call for each takes three times as long.
  if (isString(value) || (Array.isArray(value) && value.every(isString))) return JSON.stringify(value);
  // As JSON would write 1e400, it would be null.
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return `[${value.map(toCanonicalText).join()}]`;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([name, inner]) => `${JSON.stringify(name)}:${toCanonicalText(inner)}`).join()}}`;
}
