import { defaultFieldResolver, type GraphQLFieldResolver, type GraphQLOutputType, getNamedType } from 'graphql';

/** Hears of all that goes into an answer. */
export interface AnswerSize {
  /** It is larger than it may be: nothing of it will be shown to anyone. */
  readonly isOver: boolean;
  add(bytes: number): void;
}

interface MeasuringContext {
  readonly answerSize: AnswerSize;
}

/** What a field, or an item of a list, takes while an answer is made, besides its text: as measured, with the object it stands in. */
const PLACE_BYTES = 128;

/**
 * Measures what a field brings, and brings no more once the answer is too large. How large it gets nobody can tell before: what the
 * upstream embeds may be long, and one object may be asked for many times, of which each is written out.
 */
export function measuring<T, C extends MeasuringContext>(
  type: GraphQLOutputType,
  resolve: GraphQLFieldResolver<T, C> = defaultFieldResolver,
): GraphQLFieldResolver<T, C> {
  const sizeOf = getNamedType(type).name === 'JSON' ? sizeOfJson : sizeOfValue;
  return (parent, args, context, info) => {
    const { answerSize } = context;
    if (answerSize.isOver) return null;
    const value = resolve(parent, args, context, info);
    if (value instanceof Promise) return value.then((brought) => count(brought, answerSize));
    return count(value, answerSize);
  };

  function count(value: unknown, answerSize: AnswerSize): unknown {
    answerSize.add(PLACE_BYTES + sizeOf(value));
    return value;
  }
}

/** Objects count by their own fields, once those are asked for. */
function sizeOfValue(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (!Array.isArray(value)) return 0;
  return value.reduce<number>((sum, item) => sum + PLACE_BYTES + sizeOfValue(item), 0);
}

function sizeOfJson(value: unknown): number {
  return JSON.stringify(value)?.length ?? 0;
}
