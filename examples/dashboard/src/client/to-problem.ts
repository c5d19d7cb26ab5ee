import { CombinedGraphQLErrors, ServerError } from '@apollo/client/errors';

/** A failed request, as the pages show it. */
export interface Problem {
  readonly title: string;
  readonly advice: string;
  /** In seconds; undefined if another attempt cannot help. */
  readonly retryAfter: number | undefined;
}

const UNAVAILABLE = {
  title: 'The calls are not available right now',
  advice: 'The telephone service does not respond.',
  retryAfter: 5,
};

/** Every code of the gateway that a reader of a page can meet; others are faults of the page. */
const problems: Readonly<Record<string, Problem>> = {
  RATE_LIMITED: {
    title: 'Too many requests',
    advice: 'The telephone service asks for a pause.',
    retryAfter: 5,
  },
  UPSTREAM_UNAVAILABLE: UNAVAILABLE,
  UPSTREAM_TIMEOUT: UNAVAILABLE,
  UPSTREAM_INVALID_RESPONSE: UNAVAILABLE,
  UNAUTHENTICATED: {
    title: 'You are signed out',
    advice: 'Sign in again to see the calls.',
    retryAfter: undefined,
  },
  FORBIDDEN: {
    title: 'You may not see this',
    advice: 'Ask an administrator of your organization for access.',
    retryAfter: undefined,
  },
};

const UNEXPECTED: Problem = {
  title: 'Something went wrong',
  advice: 'The page could not be loaded.',
  retryAfter: undefined,
};

export function toProblem(error: Error): Problem {
  const [first] = CombinedGraphQLErrors.is(error) ? error.errors : readErrors(error);
  if (!first) return error instanceof TypeError ? UNAVAILABLE : UNEXPECTED;
  const { code, retryAfter } = first.extensions ?? {};
  const problem = problems[String(code)] ?? UNEXPECTED;
  return typeof retryAfter === 'number' ? { ...problem, retryAfter } : problem;
}

interface ResponseError {
  readonly extensions?: { readonly [key: string]: unknown };
}

/** The errors of a response with a status such as 429, of which Apollo Client keeps the text. */
function readErrors(error: Error): readonly ResponseError[] {
  if (!ServerError.is(error)) return [];
  try {
    return (JSON.parse(error.bodyText) as { errors?: ResponseError[] }).errors ?? [];
  } catch {
    return [{ extensions: { code: 'UPSTREAM_UNAVAILABLE' } }];
  }
}
