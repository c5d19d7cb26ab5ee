import {
  ANY_TEXT,
  bytes,
  optionalVariable,
  SWITCH,
  type Values,
  type VariableGroup,
  variable,
  wholeNumber,
} from '#config/variable.ts';

/** The variables below state each meaning. */
export interface QueryLimitSettings {
  readonly maxUpstreamRequests: number;
  readonly maxUpstreamBytes: number;
  /** How much one request may send, and one operation may request. */
  readonly limits: {
    readonly bodyBytes: number;
    readonly tokens: number;
    readonly depth: number;
    readonly aliases: number;
    readonly directives: number;
    /** Fields, each as often as it can occur: see `http/limits/cost.ts`. */
    readonly cost: number;
    readonly ids: number;
    readonly representations: number;
    readonly responseBytes: number;
    readonly errors: number;
  };
  readonly trustedDocuments: {
    readonly path: string | undefined;
    readonly trustedOnly: boolean;
  };
}

const variables = {
  MAX_UPSTREAM_REQUESTS: variable(
    wholeNumber(1, 100_000, 'requests'),
    250,
    'Maximum upstream requests of one operation; fields beyond them are null, `UPSTREAM_BUDGET_EXCEEDED`.',
  ),
  MAX_UPSTREAM_BYTES: variable(
    bytes(1024),
    40 * 2 ** 20,
    'Maximum decoded bytes of the upstream responses of one operation; fields beyond them are null, `UPSTREAM_BUDGET_EXCEEDED`.',
  ),
  MAX_BODY_BYTES: variable(
    bytes(1024),
    2 ** 20,
    'Maximum size of a request body, encoded and decoded.',
  ),
  MAX_TOKENS: variable(
    wholeNumber(1, 1_000_000, 'tokens'),
    5_000,
    'Maximum tokens of one document, as the lexer counts them (and 20 times as many selections with its fragments expanded).',
  ),
  MAX_DEPTH: variable(
    wholeNumber(1, 1_000, 'levels'),
    20,
    'Maximum levels of fields of one document; fragments add none.',
  ),
  MAX_ALIASES: variable(
    wholeNumber(0, 100_000, 'aliases'),
    100,
    'Maximum aliases of one document, with fields that are repeated in one selection set, counted for each spread.',
  ),
  MAX_DIRECTIVES: variable(
    wholeNumber(0, 100_000, 'directives'),
    100,
    'Maximum directives of one document, counted for each spread.',
  ),
  MAX_COST: variable(
    wholeNumber(1, 1_000_000_000, 'fields'),
    500_000,
    'Maximum [cost](../guides/query-limits.md#cost-analysis) of one operation.',
  ),
  MAX_IDS: variable(wholeNumber(1, 100_000, 'ids'), 100, 'Maximum items of an `ids` argument.'),
  MAX_REPRESENTATIONS: variable(
    wholeNumber(1, 100_000, 'representations'),
    1_000,
    'Maximum items of `_entities(representations:)`.',
  ),
  MAX_ANSWER_BYTES: variable(
    bytes(1024),
    16 * 2 ** 20,
    'Maximum size of one response: its names, texts and errors as they are written, and 128 bytes for each field and each list item.',
  ),
  MAX_ERRORS: variable(
    wholeNumber(1, 100_000, 'errors'),
    100,
    'Maximum errors of one response; with more of them the operation is cancelled.',
  ),
  TRUSTED_DOCUMENTS: optionalVariable(
    { ...ANY_TEXT, accepts: 'a path' },
    '[Trusted documents](../guides/trusted-documents.md): a file, or a directory of manifests and documents.',
  ),
  TRUSTED_DOCUMENTS_ONLY: variable(
    SWITCH,
    'off',
    '`on`: the gateway executes no other documents, except those of a federation router.',
  ),
};

export const queryLimits = {
  title: 'Query limits',
  introduction: '[Query limits](../guides/query-limits.md) explains the behaviour.',
  variables,
} satisfies VariableGroup;

export function toQueryLimitSettings(values: Values<typeof variables>): QueryLimitSettings {
  return {
    maxUpstreamRequests: values.MAX_UPSTREAM_REQUESTS,
    maxUpstreamBytes: values.MAX_UPSTREAM_BYTES,
    limits: {
      bodyBytes: values.MAX_BODY_BYTES,
      tokens: values.MAX_TOKENS,
      depth: values.MAX_DEPTH,
      aliases: values.MAX_ALIASES,
      directives: values.MAX_DIRECTIVES,
      cost: values.MAX_COST,
      ids: values.MAX_IDS,
      representations: values.MAX_REPRESENTATIONS,
      responseBytes: values.MAX_ANSWER_BYTES,
      errors: values.MAX_ERRORS,
    },
    trustedDocuments: {
      path: values.TRUSTED_DOCUMENTS,
      trustedOnly: values.TRUSTED_DOCUMENTS_ONLY === 'on',
    },
  };
}
