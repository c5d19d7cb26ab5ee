import type { GraphQLResolveInfo } from 'graphql';
import { handleFieldError } from './collected-errors.ts';
import type { Execution } from './execution.ts';
import type { FieldPlan, SelectionPlan } from './field-plan.ts';
import { type JsonText, joinTexts } from './json-text.ts';
import { ResolveInfo } from './resolve-info.ts';

type Path = GraphQLResolveInfo['path'];

/**
 * Executes the fields of an object, as the GraphQL specification's ExecuteSelectionSet. Waits once,
 * for all fields whose values are not available yet.
 * @throws GraphQLError the located error of a field that must not be null
 */
export function executeFields(
  { fields, end }: SelectionPlan,
  source: unknown,
  path: Path | undefined,
  execution: Execution,
): JsonText {
  let text = '';
  let parts: JsonText[] | undefined;
  try {
    for (const field of fields) {
      const completed = executeField(field, source, path, execution);
      text += field.prefix;
      if (typeof completed === 'string') {
        text += completed;
      } else {
        parts ??= [];
        parts.push(text, completed);
        text = '';
      }
    }
  } catch (error) {
    // The other fields may fail, too: their promises must not remain unhandled.
    if (!parts) throw error;
    return joinTexts(parts)
      .then((joined) => joined)
      .finally(() => {
        throw error;
      });
  }
  return parts ? joinTexts(parts).then((joined) => joined + text + end) : text + end;
}

function executeField(
  field: FieldPlan,
  source: unknown,
  parentPath: Path | undefined,
  execution: Execution,
): JsonText {
  const info = new ResolveInfo(field, parentPath, execution);
  try {
    const args = field.toArguments(execution.variableValues);
    const value = field.resolve(source, args, execution.context, info);
    const completed =
      value instanceof Promise
        ? value.then((resolved) => field.complete(resolved, info, info, execution))
        : field.complete(value, info, info, execution);
    return typeof completed === 'string'
      ? completed
      : completed.then(undefined, (error) => handleError(error, info, execution));
  } catch (error) {
    return handleError(error, info, execution);
  }
}

function handleError(error: unknown, info: ResolveInfo, { errors }: Execution): 'null' {
  return handleFieldError(error, info.field.fieldNodes, info.field.isNonNull, info, errors);
}
