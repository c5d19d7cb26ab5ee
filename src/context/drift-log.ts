import type { DriftReporter } from '#binding/drift.ts';
import { type LinkedPath, toResponsePath } from '#binding/response-path.ts';
import type { Drift, DriftKind, ResponsePath, UnrecognizedValue } from '#extensions.ts';

const MAX_REPORTED_VALUES = 100;
const MAX_VALUE_LENGTH = 100;

/**
 * Maximum characters of all paths, as JSON. The path of each list item repeats all response names
 * above the item. A response name has up to 256 characters.
 */
const MAX_PATH_CHARACTERS = 65_536;

/** The drift in the upstream responses of one operation. */
export interface DriftLog extends DriftReporter {
  /** Each unrecognized value once, at most a hundred, with up to 64 KiB of paths in all. */
  readonly reported: readonly UnrecognizedValue[];
  /**
   * All drift, in order of first occurrence; at most one entry for each field of the schema and
   * each kind.
   */
  readonly drift: readonly Drift[];
}

export function createDriftLog(): DriftLog {
  return new OperationDriftLog();
}

class OperationDriftLog implements DriftLog {
  readonly #reported = new Map<string, UnrecognizedValue & { readonly paths: ResponsePath[] }>();
  #pathCharacters = 0;
  readonly #drift = new Map<string, { -readonly [Key in keyof Drift]: Drift[Key] }>();

  get reported(): readonly UnrecognizedValue[] {
    return [...this.#reported.values()];
  }

  get drift(): readonly Drift[] {
    return [...this.#drift.values()];
  }

  report(kind: DriftKind, type: string, field: string): void {
    const key = `${type}.${field} ${kind}`;
    const entry = this.#drift.get(key);
    if (entry) entry.count += 1;
    else this.#drift.set(key, { type, field, kind, count: 1 });
  }

  reportUnrecognized(type: string, field: string, raw: string, path: LinkedPath): void {
    this.report('unrecognized', type, field);
    const value = raw.slice(0, MAX_VALUE_LENGTH);
    const key = `${type}.${field}=${value}`;
    let entry = this.#reported.get(key);
    if (!entry) {
      if (this.#reported.size === MAX_REPORTED_VALUES) return;
      entry = { type, field, value, paths: [] };
      this.#reported.set(key, entry);
    }
    const characters = countCharacters(path);
    if (this.#pathCharacters + characters > MAX_PATH_CHARACTERS) return;
    this.#pathCharacters += characters;
    entry.paths.push(toResponsePath(path));
  }
}

/** The maximum length of a path as JSON: names need no escapes. */
function countCharacters(path: LinkedPath): number {
  let sum = 2;
  for (let step: LinkedPath | undefined = path; step; step = step.prev)
    sum += String(step.key).length + 3;
  return sum;
}
