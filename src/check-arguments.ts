/**
 * Checks of the arguments of exported functions. Without them a wrong argument of code without
 * types fails at the first request, far from its cause. No message quotes a text, because it may be
 * a key.
 */

/** What an argument must be. */
export interface ArgumentRule {
  /** Completes the sentence "… must be". */
  readonly expected: string;
  accepts(value: unknown): boolean;
}

export const FLAG: ArgumentRule = {
  expected: 'true or false',
  accepts: (value) => typeof value === 'boolean',
};

export const TEXT: ArgumentRule = {
  expected: 'a text',
  accepts: (value) => typeof value === 'string',
};

export const FUNCTION: ArgumentRule = {
  expected: 'a function',
  accepts: (value) => typeof value === 'function',
};

/** @param min least number @param max greatest number */
export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER): ArgumentRule {
  return {
    expected:
      max === Number.MAX_SAFE_INTEGER
        ? `a whole number, ${min} or more`
        : `a whole number from ${min} to ${max}`,
    accepts: (value) => Number.isInteger(value) && Number(value) >= min && Number(value) <= max,
  };
}

export function oneOf(...values: readonly (string | number)[]): ArgumentRule {
  const quoted = values.map((value) => JSON.stringify(value));
  return {
    expected: `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`,
    accepts: (value) => values.some((one) => one === value),
  };
}

/** An object with these methods. */
export function objectWith(methods: readonly string[], expected: string): ArgumentRule {
  return {
    expected,
    accepts: (value) =>
      isObject(value) && methods.every((method) => typeof value[method] === 'function'),
  };
}

/** @throws TypeError */
export function checkArgument(name: string, value: unknown, rule: ArgumentRule): void {
  if (!rule.accepts(value))
    throw new TypeError(`${name} must be ${rule.expected}. It is ${describe(value)}.`);
}

/**
 * Checks an object of options. An undefined option counts as absent.
 * @param owner the function that takes the options
 * @throws TypeError for an unknown option, too: a misspelled one would have no effect
 */
export function checkOptions(
  owner: string,
  options: unknown,
  rules: { readonly [name: string]: ArgumentRule },
): void {
  if (!isObject(options))
    throw new TypeError(
      `The options of ${owner} must be an object. They are ${describe(options)}.`,
    );
  for (const [name, value] of Object.entries(options)) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (!rule)
      throw new TypeError(
        `${owner} has no option \`${name}\`. Its options are ${Object.keys(rules).join(', ')}.`,
      );
    if (value !== undefined) checkArgument(`The option \`${name}\` of ${owner}`, value, rule);
  }
}

export function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The kind of a value; a number is quoted. */
function describe(value: unknown): string {
  if (value === null || value === undefined || typeof value === 'number') return String(value);
  if (typeof value === 'string') return value === '' ? 'an empty text' : 'a text';
  if (Array.isArray(value)) return 'an array';
  if (value instanceof Promise) return 'a promise; write `await` before it';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
