import {
  type GraphQLAbstractType,
  type GraphQLList,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import { handleFieldError } from './collected-errors.ts';
import { executeFields } from './execute-fields.ts';
import type { Execution } from './execution.ts';
import type { SelectionPlan } from './field-plan.ts';
import { type JsonText, joinTexts } from './json-text.ts';
import { createLeafWriter } from './leaf-text.ts';
import type { ResolveInfo } from './resolve-info.ts';

type Path = GraphQLResolveInfo['path'];

/**
 * Turns the value of a resolver into the JSON text of the field, as the GraphQL specification's
 * CompleteValue.
 * @param path the path of the value: of the field, or of a list item
 * @throws the error of the position
 */
export type Complete = (
  value: unknown,
  info: ResolveInfo,
  path: Path,
  execution: Execution,
) => JsonText;

/** Completes a value that is neither null nor an error. */
type CompletePresent = (
  value: NonNullable<unknown>,
  info: ResolveInfo,
  path: Path,
  execution: Execution,
) => JsonText;

type PlanSelection = (type: GraphQLObjectType) => SelectionPlan;

/** @param planSelection called once for each object type, when a value of the type is completed */
export function createCompleter(type: GraphQLOutputType, planSelection: PlanSelection): Complete {
  const isNonNull = isNonNullType(type);
  const complete = createPresentCompleter(isNonNull ? type.ofType : type, planSelection);
  return (value, info, path, execution) => {
    if (value === null || value === undefined) {
      if (isNonNull) throw nullError(info);
      return 'null';
    }
    if (value instanceof Error) throw value;
    return complete(value, info, path, execution);
  };
}

function createPresentCompleter(
  type: GraphQLOutputType,
  planSelection: PlanSelection,
): CompletePresent {
  if (isListType(type)) return createListCompleter(type, planSelection);
  if (isLeafType(type)) {
    const write = createLeafWriter(type);
    return (value, _info, _path, { data }) => write(value, data);
  }
  if (isObjectType(type)) {
    let selection: SelectionPlan | undefined;
    return (value, _info, path, execution) => {
      selection ??= planSelection(type);
      return executeFields(selection, value, path, execution);
    };
  }
  return createAbstractCompleter(type as GraphQLAbstractType, planSelection);
}

function createListCompleter(
  { ofType }: GraphQLList<GraphQLOutputType>,
  planSelection: PlanSelection,
): CompletePresent {
  const isNonNull = isNonNullType(ofType);
  const completeItem = createCompleter(ofType, planSelection);
  return (value, info, path, execution) => {
    const items = toArray(value, info);
    let text = '[';
    let parts: JsonText[] | undefined;
    try {
      for (let index = 0; index < items.length; index += 1) {
        if (index > 0) text += ',';
        const completed = completeAt(index, items[index], info, path, execution);
        if (typeof completed === 'string') {
          text += completed;
        } else {
          parts ??= [];
          parts.push(text, completed);
          text = '';
        }
      }
    } catch (error) {
      // The other items may fail, too: their promises must not remain unhandled.
      if (parts) joinTexts(parts).catch(() => {});
      throw error;
    }
    text += ']';
    return parts ? joinTexts([...parts, text]) : text;
  };

  function completeAt(
    index: number,
    item: unknown,
    info: ResolveInfo,
    listPath: Path,
    execution: Execution,
  ): JsonText {
    const path: Path = { prev: listPath, key: index, typename: undefined };
    try {
      const completed =
        item instanceof Promise
          ? item.then((resolved) => completeItem(resolved, info, path, execution))
          : completeItem(item, info, path, execution);
      return typeof completed === 'string'
        ? completed
        : completed.then(undefined, (error) => handleItemError(error, info, path, execution));
    } catch (error) {
      return handleItemError(error, info, path, execution);
    }
  }

  function handleItemError(
    error: unknown,
    { fieldNodes }: ResolveInfo,
    path: Path,
    { errors }: Execution,
  ): 'null' {
    return handleFieldError(error, fieldNodes, isNonNull, path, errors);
  }
}

function createAbstractCompleter(
  type: GraphQLAbstractType,
  planSelection: PlanSelection,
): CompletePresent {
  const selections = new Map<string, SelectionPlan>();
  return (value, info, path, execution) => {
    const typeName = type.resolveType?.(value, execution.context, info, type);
    if (typeName instanceof Promise)
      return typeName.then((resolved) =>
        executeFields(selectionOf(resolved, info), value, path, execution),
      );
    return executeFields(selectionOf(typeName, info), value, path, execution);
  };

  function selectionOf(typeName: unknown, { schema }: ResolveInfo): SelectionPlan {
    const known = selections.get(typeName as string);
    if (known) return known;
    const objectType = typeof typeName === 'string' ? schema.getType(typeName) : undefined;
    if (!isObjectType(objectType) || !schema.isSubType(type, objectType))
      throw new Error(`The type of a value of ${type.name} is not one of its possible types.`);
    const selection = planSelection(objectType);
    selections.set(objectType.name, selection);
    return selection;
  }
}

function toArray(value: NonNullable<unknown>, info: ResolveInfo): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (typeof value === 'object' && Symbol.iterator in value)
    return Array.from(value as Iterable<unknown>);
  throw new Error(
    `Expected Iterable, but did not find one for field "${info.parentType.name}.${info.fieldName}".`,
  );
}

function nullError({ parentType, fieldName }: ResolveInfo): Error {
  return new Error(`Cannot return null for non-nullable field ${parentType.name}.${fieldName}.`);
}
