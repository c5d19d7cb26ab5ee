import {
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  GraphQLError,
  getNullableType,
  getOperationAST,
  getVariableValues,
  isListType,
  type OperationDefinitionNode,
  type Source,
  type SourceLocation,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import type { compileQuery } from 'graphql-jit';

/** Executes as graphql's own does. */
export type Execute = (args: ExecutionArgs) => ExecutionResult | Promise<ExecutionResult>;

export interface ExecutorOptions {
  /** When an operation is compiled: once it has come a few times; before it is executed at all, so that nothing is executed otherwise; or not at all. */
  readonly compiles: 'again' | 'at once' | 'never';
  /** Calls back in the next turn of the event loop. */
  readonly onNextTurn: (run: () => void) => void;
}

/** To compile one takes as long as to execute it ten times, or more. */
const COMPILED_AFTER = 5;

/** To compile as many takes 5 ms, in which nobody else is answered; of larger ones, each field costs so much that it does not show. */
export const MOST_COMPILED_TOKENS = 120;

/** An operation, compiled: `data` is missing where a variable does not fit, and nothing was executed. */
type Compiled = (root: unknown, context: unknown, variables: object) => ExecutionResult | Promise<ExecutionResult>;

/** What is known of an operation. */
interface Standing {
  uses: number;
  /** Null: it is never compiled. */
  compiled: Compiled | null | undefined;
}

/**
 * Executes operations that come again as functions that were made of them (graphql-jit): to walk through a document, and to make out the arguments of each
 * field anew, is a sixth of what an answer takes that nothing is remembered of. What a function answers is what graphql's own answers, down to the words
 * and places of errors; where it would not be, graphql's own executes.
 */
export function createExecutor({ compiles, onNextTurn }: ExecutorOptions): Execute {
  /** Forgotten with the document. */
  const standings = new WeakMap<OperationDefinitionNode, Standing>();
  /** What is to be compiled: one in a turn. */
  const planned: (() => void)[] = [];
  let compiler: Promise<typeof compileQuery> | undefined;

  if (compiles === 'never') return execute;
  return (args) => {
    const operation = getOperationAST(args.document, args.operationName);
    if (!operation) return execute(args);
    const standing = standingOf(operation, args);
    if (standing.compiled) return run(standing.compiled, operation, args);
    if (standing.compiled === null) return execute(args);
    if (compiles === 'at once') return compileAndRun(standing, operation, args);
    standing.uses += 1;
    if (standing.uses === COMPILED_AFTER) plan(standing, args);
    return execute(args);
  };

  function standingOf(operation: OperationDefinitionNode, args: ExecutionArgs): Standing {
    let standing = standings.get(operation);
    if (!standing) {
      standing = { uses: 0, compiled: isCompilable(operation, args) ? undefined : null };
      standings.set(operation, standing);
    }
    return standing;
  }

  async function compileAndRun(standing: Standing, operation: OperationDefinitionNode, args: ExecutionArgs) {
    await compile(standing, args);
    return standing.compiled ? run(standing.compiled, operation, args) : execute(args);
  }

  function plan(standing: Standing, { schema, document, operationName }: ExecutionArgs): void {
    planned.push(() => void compile(standing, { schema, document, operationName }));
    if (planned.length === 1) onNextTurn(compileNext);
  }

  function compileNext(): void {
    planned.shift()?.();
    if (planned.length > 0) onNextTurn(compileNext);
  }

  async function compile(standing: Standing, { schema, document, operationName }: ExecutionArgs): Promise<void> {
    try {
      // It takes 60 ms, and the first five operations of a kind need it not.
      compiler ??= import('graphql-jit').then((jit) => jit.compileQuery);
      const made = (await compiler)(schema, document, operationName ?? undefined);
      standing.compiled = 'query' in made ? made.query : null;
    } catch {
      // Where no code may be made of texts (`--disallow-code-generation-from-strings`), nothing is compiled.
      standing.compiled = null;
    }
  }
}

function isCompilable({ operation }: OperationDefinitionNode, { schema, document }: ExecutionArgs): boolean {
  if (operation !== 'query' || (document.tokenCount ?? Number.POSITIVE_INFINITY) > MOST_COMPILED_TOKENS) return false;
  const types = new TypeInfo(schema);
  let isCompilable = true;
  visit(
    document,
    visitWithTypeInfo(types, {
      Field({ alias, name }) {
        // Each item is loaded by itself, and graphql-jit 0.8 puts the null of one that fails at another's place.
        const isLoadedSingly = types.getParentType() === schema.getQueryType() && isListType(getNullableType(types.getType()));
        // Objects are made as literals, where this is no name.
        const isNoName = (alias ?? name).value === '__proto__';
        if (isLoadedSingly || isNoName) isCompilable = false;
      },
    }),
  );
  return isCompilable;
}

function run(compiled: Compiled, operation: OperationDefinitionNode, args: ExecutionArgs): ReturnType<Execute> {
  const { schema, document, rootValue, contextValue } = args;
  const variables = args.variableValues ?? {};
  const { errors } = getVariableValues(schema, operation.variableDefinitions ?? [], variables, { maxErrors: 1 });
  // What is wrong with a variable is said in graphql's words; null, which may fit the variable and not the argument, too.
  if (errors || Object.values(variables).includes(null)) return execute(args);
  const result = compiled(rootValue, contextValue, variables);
  return result instanceof Promise ? result.then(finish) : finish(result);

  function finish(executed: ExecutionResult): ReturnType<Execute> {
    if (executed.data === undefined) return execute(args);
    if (!executed.errors) return executed;
    return { errors: executed.errors.map((error) => toOwnError(error, document.loc?.source)), data: executed.data };
  }
}

/** As graphql's own: those of the function have places, but not what places are made of. */
function toOwnError({ message, path, originalError, locations }: GraphQLError, source: Source | undefined): GraphQLError {
  const positions = source && locations?.map((location) => toPosition(source.body, location));
  return new GraphQLError(message, { source, positions, path, originalError });
}

function toPosition(text: string, { line, column }: SourceLocation): number {
  let start = 0;
  const ends = text.matchAll(/\r\n|[\n\r]/g);
  for (let at = 1; at < line; at += 1) {
    const { value: end } = ends.next();
    if (end) start = end.index + end[0].length;
  }
  return start + column - 1;
}
