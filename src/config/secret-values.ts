import type { Environment } from './conditions.ts';
import type { SecretForm } from './variable.ts';

type SecretForms = ReadonlyMap<string, SecretForm>;

const QUOTATION_MARK = /^["'`“”„‘’]|["'`“”„‘’]$/;
const QUOTED = /^(["'`])[\s\S]*\1$/;
const LINE_BREAK = /[\r\n]/;

/**
 * Removes blanks and line breaks around settings: the value of a Kubernetes secret often ends with a
 * line break, and a terminal does not show blanks. No setting needs them: a header cannot have them
 * around its value (RFC 9110, 5.5), and a URL parser ignores them.
 */
export function trimSettings(provided: Environment, settings: readonly string[]): Environment {
  const trimmed = settings.flatMap((name) => {
    const value = provided[name];
    return value === undefined ? [] : [[name, value.trim()] as const];
  });
  return { ...provided, ...Object.fromEntries(trimmed) };
}

/** One sentence for each secret that `trimSettings` changes. */
export function describeTrimmedSecrets(provided: Environment, secrets: SecretForms): string[] {
  return Object.entries(provided).flatMap(([name, value = '']) => {
    const trimmed = value.trim();
    if (!secrets.has(name) || trimmed === value || trimmed === '') return [];
    const [before = '', after = ''] = value.split(trimmed);
    const blank = LINE_BREAK.test(before + after) ? 'a line break' : 'a space';
    return [`${name} begins or ends with ${blank}, which the gateway ignores.`];
  });
}

/**
 * What a value has that its setting cannot mean, by the name of the setting. A shell and Docker
 * Compose remove quotation marks; `docker run --env-file` and Kubernetes do not.
 */
export function findMalformedValues(
  provided: Environment,
  settings: readonly string[],
  secrets: SecretForms,
): Map<string, string> {
  const problems = new Map<string, string>();
  for (const name of settings) {
    const value = provided[name];
    if (value === undefined) continue;
    const secret = secrets.get(name);
    if (isQuoted(value, secret)) {
      problems.set(
        name,
        `${name} must not begin or end with a quotation mark: it would be part of the value.`,
      );
    } else if (secret !== undefined && LINE_BREAK.test(value)) {
      problems.set(name, `${name} must not contain a line break.`);
    }
  }
  return problems;
}

/** Whether a value has a quotation mark at its begin or end. A secret may lack the other one. */
export function isQuoted(value: string, secret: SecretForm | undefined): boolean {
  if (secret === undefined) return QUOTED.test(value.trim());
  const items = secret === 'list' ? value.split(',') : [value];
  return items.some((item) => QUOTATION_MARK.test(item.trim()));
}
