import { type DocumentNode, GraphQLError, getOperationAST, parse, type Source, validate } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { OperationTooComplexError } from '#errors/gateway-error.ts';
import type { Costed, CostLimits } from './cost.ts';
import { measure } from './measure.ts';
import { MAX_JSON_LEVELS, nestingOf, tooDeepIn } from './nesting.ts';
import { toBoundedError } from './public-error.ts';

/** How much one operation may ask for. */
export interface Limits extends CostLimits {
  /** Of the document, as the lexer counts them. */
  readonly tokens: number;
  /** Levels of fields; fragments add none. */
  readonly depth: number;
  /** With fields that stand beside their like. */
  readonly aliases: number;
  readonly directives: number;
}

/** So many times as long as it may be, a document may be with its fragments written out. */
const WRITTEN_OUT = 20;

/** For so many brackets a level of fields may stand: those of its selection, its arguments, and of values and inline fragments. */
const BRACKETS_A_LEVEL = 10;

/** Faults of a document that are told; a short document can have many. */
const MOST_FAULTS = 5;

/** Characters of an alias: it is written once for each object that has the field. */
const MAX_ALIAS_LENGTH = 256;

/** What GraphQL spends on comparing the fields and fragments of one document. It does not export this. */
const MOST_COMPARISONS = 500_000;

/**
 * Refuses what is over a limit before it costs anything: a document while it is parsed and before it is validated, an operation before
 * it is executed.
 */
export function useLimits(limits: Limits, checkCost: (costed: Costed) => void): Plugin {
  return {
    onParams({ params }) {
      const place = tooDeepIn(params);
      if (place !== undefined) throw tooDeep(place);
    },
    onParse({ setParseFn }) {
      setParseFn((source: string | Source, options) => {
        checkNesting(typeof source === 'string' ? source : source.body, limits.depth);
        return parseWithin(limits.tokens, source, options);
      });
    },
    onValidate({ params: { schema, documentAST }, context, setValidationFn }) {
      checkMeasure(documentAST, limits);
      setValidationFn((asked, document, rules, typeInfo, options) =>
        validate(asked, document, rules, { ...options, maxErrors: MOST_FAULTS }, typeInfo),
      );
      return ({ valid, result, setResult }) => {
        if (result.some(isGivenUp)) throw tooManyComparisons();
        if (!valid) setResult((result as readonly GraphQLError[]).map(toBoundedError));
        const { variables, operationName } = context.params;
        const operation = getOperationAST(documentAST, operationName);
        if (valid && operation) checkCost({ schema, document: documentAST, operation, variables });
      };
    },
  };
}

function parseWithin(limit: number, source: string | Source, options: object | undefined): DocumentNode {
  try {
    return parse(source, { ...options, maxTokens: limit });
  } catch (error) {
    if (!(error instanceof GraphQLError && /^Syntax Error: Document contains more \w+ \d+ tokens/.test(error.message)))
      throw error;
    // The parser stops there: nobody knows how many more there are.
    const limits = { limit, measured: limit + 1, setting: 'MAX_TOKENS' };
    throw new OperationTooComplexError(`The document has more than ${limit} tokens`, limits);
  }
}

function checkNesting(text: string, depth: number): void {
  const limits = { limit: BRACKETS_A_LEVEL * depth, measured: nestingOf(text), setting: `${BRACKETS_A_LEVEL} × MAX_DEPTH` };
  if (limits.measured > limits.limit)
    throw new OperationTooComplexError(`The document is nested ${limits.measured} brackets deep`, limits);
}

function tooDeep(place: string): OperationTooComplexError {
  const limits = { limit: MAX_JSON_LEVELS, measured: MAX_JSON_LEVELS + 1 };
  return new OperationTooComplexError(`\`${place}\` is nested more than ${MAX_JSON_LEVELS} levels deep`, limits);
}

function checkMeasure(document: DocumentNode, limits: Limits): void {
  const { depth, aliases, aliasLength, directives, selections } = measure(document);
  const check = (what: string, measured: number, limit: number, setting?: string) => {
    if (measured > limit) throw new OperationTooComplexError(what, { limit, measured, ...(setting ? { setting } : {}) });
  };
  check(`The operation is ${depth} levels deep`, depth, limits.depth, 'MAX_DEPTH');
  check(`The operation has ${aliases} aliases and repeated fields`, aliases, limits.aliases, 'MAX_ALIASES');
  check(`The operation has an alias of ${aliasLength} characters`, aliasLength, MAX_ALIAS_LENGTH);
  check(`The operation has ${directives} directives`, directives, limits.directives, 'MAX_DIRECTIVES');
  const written = `The operation has ${selections} selections with its fragments written out`;
  check(written, selections, WRITTEN_OUT * limits.tokens, `${WRITTEN_OUT} × MAX_TOKENS`);
}

/** GraphQL compares fields and fragments with one another, and gives up when that takes too long. */
function isGivenUp({ message }: Error): boolean {
  return message === 'Validation aborted.';
}

function tooManyComparisons(): OperationTooComplexError {
  const what = `The fields and fragments of the document take more than ${MOST_COMPARISONS} comparisons to validate`;
  return new OperationTooComplexError(what, { limit: MOST_COMPARISONS, measured: MOST_COMPARISONS + 1 });
}
