import {
  type DocumentNode,
  GraphQLError,
  getOperationAST,
  parse,
  type Source,
  validate,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { OperationTooComplexError } from '#errors/gateway-error.ts';
import { toBoundedError } from '#http/mask-error.ts';
import type { CostLimits } from './cost.ts';
import { measureDocument } from './document-size.ts';
import { findTooDeepParameter, MAX_JSON_LEVELS, nestingOf } from './nesting.ts';
import type { CostInput } from './operation-cost.ts';

/** How much one operation may request. */
export interface Limits extends CostLimits {
  /** Tokens of the document, as the lexer counts them. */
  readonly tokens: number;
  /** Levels of fields; fragments add none. */
  readonly depth: number;
  /** Aliases, and fields that are repeated in one selection set. */
  readonly aliases: number;
  readonly directives: number;
}

/**
 * Maximum selections of a document with its fragments expanded, as a multiple of `MAX_TOKENS`.
 */
const EXPANSION_FACTOR = 20;

/**
 * Brackets that are allowed for each level of fields: those of its selection set, its arguments,
 * its values and its inline fragments.
 */
const BRACKETS_PER_LEVEL = 10;

/** Maximum reported errors of a document; a short document can have many. */
const MAX_VALIDATION_ERRORS = 5;

/** Maximum characters of an alias: the response repeats it for each object that has the field. */
const MAX_ALIAS_LENGTH = 256;

/**
 * Maximum comparisons that graphql-js spends on the fields and fragments of one document. It does
 * not export this constant.
 */
const MAX_OVERLAP_COMPARISONS = 500_000;

/**
 * Rejects a request over a limit as early as possible: a document while it is parsed and before it
 * is validated, an operation before it is executed.
 */
export function useLimits(limits: Limits, checkCost: (input: CostInput) => void): Plugin {
  return {
    onParams({ params }) {
      const parameter = findTooDeepParameter(params);
      if (parameter !== undefined) throw nestedTooDeep(parameter);
    },
    onParse({ setParseFn }) {
      setParseFn((source: string | Source, options) => {
        checkNesting(typeof source === 'string' ? source : source.body, limits.depth);
        return parseUpTo(limits.tokens, source, options);
      });
    },
    onValidate({ params: { schema, documentAST }, context, setValidationFn }) {
      checkDocumentSize(documentAST, limits);
      setValidationFn((schemaToValidate, document, rules, typeInfo, options) =>
        validate(
          schemaToValidate,
          document,
          rules,
          { ...options, maxErrors: MAX_VALIDATION_ERRORS },
          typeInfo,
        ),
      );
      return ({ valid, result, setResult }) => {
        if (result.some(isValidationAborted)) throw tooManyComparisons();
        if (!valid) setResult((result as readonly GraphQLError[]).map(toBoundedError));
        const { variables, operationName } = context.params;
        const operation = getOperationAST(documentAST, operationName);
        if (valid && operation) checkCost({ schema, document: documentAST, operation, variables });
      };
    },
  };
}

function parseUpTo(
  maxTokens: number,
  source: string | Source,
  options: object | undefined,
): DocumentNode {
  try {
    return parse(source, { ...options, maxTokens });
  } catch (error) {
    if (
      !(
        error instanceof GraphQLError &&
        /^Syntax Error: Document contains more \w+ \d+ tokens/.test(error.message)
      )
    )
      throw error;
    // The parser stops there, so the number of tokens is unknown.
    const limits = { limit: maxTokens, measured: maxTokens + 1, setting: 'MAX_TOKENS' };
    throw new OperationTooComplexError(`The document has more than ${maxTokens} tokens`, limits);
  }
}

function checkNesting(text: string, maxDepth: number): void {
  const limits = {
    limit: BRACKETS_PER_LEVEL * maxDepth,
    measured: nestingOf(text),
    setting: `${BRACKETS_PER_LEVEL} × MAX_DEPTH`,
  };
  if (limits.measured > limits.limit)
    throw new OperationTooComplexError(
      `The document is nested ${limits.measured} brackets deep`,
      limits,
    );
}

function nestedTooDeep(parameter: string): OperationTooComplexError {
  const limits = { limit: MAX_JSON_LEVELS, measured: MAX_JSON_LEVELS + 1 };
  return new OperationTooComplexError(
    `\`${parameter}\` is nested more than ${MAX_JSON_LEVELS} levels deep`,
    limits,
  );
}

function checkDocumentSize(document: DocumentNode, limits: Limits): void {
  const { depth, aliases, aliasLength, directives, selections } = measureDocument(document);
  const check = (message: string, measured: number, limit: number, setting?: string) => {
    if (measured > limit)
      throw new OperationTooComplexError(message, {
        limit,
        measured,
        ...(setting ? { setting } : {}),
      });
  };
  check(`An operation or fragment is ${depth} levels deep`, depth, limits.depth, 'MAX_DEPTH');
  check(
    `An operation or fragment has ${aliases} aliases and repeated fields`,
    aliases,
    limits.aliases,
    'MAX_ALIASES',
  );
  check(
    `An operation or fragment has an alias of ${aliasLength} characters`,
    aliasLength,
    MAX_ALIAS_LENGTH,
  );
  check(
    `An operation or fragment has ${directives} directives`,
    directives,
    limits.directives,
    'MAX_DIRECTIVES',
  );
  const expansionMessage = `An operation or fragment has ${selections} selections with its fragments expanded`;
  check(
    expansionMessage,
    selections,
    EXPANSION_FACTOR * limits.tokens,
    `${EXPANSION_FACTOR} × MAX_TOKENS`,
  );
}

/**
 * graphql-js compares fields and fragments with one another, and aborts when that takes too long.
 */
function isValidationAborted({ message }: Error): boolean {
  return message === 'Validation aborted.';
}

function tooManyComparisons(): OperationTooComplexError {
  const message = `The fields and fragments of the document take more than ${MAX_OVERLAP_COMPARISONS} comparisons to validate`;
  return new OperationTooComplexError(message, {
    limit: MAX_OVERLAP_COMPARISONS,
    measured: MAX_OVERLAP_COMPARISONS + 1,
  });
}
