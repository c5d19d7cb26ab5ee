/** An error response: a status and a message. */
export class ApiError extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

/**
 * How GET /call accepts a list: `a,b` in one parameter, the parameter repeated, or repeated with
 * brackets in its name.
 */
export type ArrayFormat = 'comma' | 'repeat' | 'brackets';

/** Rejects every unknown parameter. */
export function rejectUnknown(query: URLSearchParams, known: readonly string[]): void {
  for (const name of query.keys()) {
    if (!known.includes(name)) throw new ApiError(400, `Unknown query parameter: ${name}`);
  }
}

/** The single value of a parameter; a repeated parameter is rejected. */
export function parseScalar(query: URLSearchParams, name: string): string | undefined {
  const values = query.getAll(name);
  if (values.length > 1) throw new ApiError(400, `Query parameter given more than once: ${name}`);
  return values[0];
}

/**
 * A required whole number of at least `minimum`, in plain decimal digits: no sign, no fraction, no
 * exponent, no leading zero.
 */
export function parseWholeNumber(query: URLSearchParams, name: string, minimum: number): number {
  const text = parseScalar(query, name);
  if (text === undefined) throw new ApiError(400, `Missing query parameter: ${name}`);
  const value = /^(0|-?[1-9][0-9]{0,15})$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new ApiError(400, `${name} must be an integer`);
  if (value < minimum) throw new ApiError(400, `${name} must be at least ${minimum}`);
  return value;
}

/** One value of a closed set. */
export function parseChoice<T extends string>(
  text: string,
  name: string,
  choices: readonly T[],
): T {
  const found = choices.find((choice) => choice === text);
  if (found === undefined) throw new ApiError(400, `${name} must be one of: ${choices.join(', ')}`);
  return found;
}

/** The parameter name of a list in this format. */
export function toListName(name: string, format: ArrayFormat): string {
  return format === 'brackets' ? `${name}[]` : name;
}

/**
 * A list of values of a closed set, in the configured format; undefined if the parameter is absent.
 */
export function parseList<T extends string>(
  query: URLSearchParams,
  name: string,
  format: ArrayFormat,
  choices: readonly T[],
): T[] | undefined {
  const texts =
    format === 'comma'
      ? parseScalar(query, name)?.split(',')
      : query.getAll(toListName(name, format));
  if (texts === undefined || texts.length === 0) return undefined;
  return texts.map((text) => parseChoice(text, name, choices));
}
