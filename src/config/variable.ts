import { z } from 'zod';

/** What the reference page states of a variable, in Markdown. */
export interface VariableDocumentation {
  readonly meaning: string;
  /** The accepted values, as in the message "`NAME` must be …". */
  readonly accepts: string;
  readonly default: string;
  readonly secret?: SecretForm | undefined;
}

/** Whether a secret is the whole value, or an item of a comma-separated list. */
export type SecretForm = 'value' | 'list';

/** The documentation of each variable, by its schema. A variable without one belongs to others. */
export const documentation = z.registry<VariableDocumentation>();

/** A kind of value. The same words are in the error message and in the documentation. */
export interface Kind<Schema extends z.ZodType> {
  readonly accepts: string;
  /** Its only error message is "must be" and `accepts`. */
  readonly schema: Schema;
  /** Absent: the value is no secret. */
  readonly secret?: SecretForm;
}

/** The values of a group of variables. */
export type Values<Shape extends z.ZodRawShape> = z.output<z.ZodObject<Shape>>;

/** Variables that are documented together. */
export interface VariableGroup {
  readonly title: string;
  /** Above the table, in Markdown. */
  readonly introduction?: string;
  readonly variables: z.ZodRawShape;
  /** Variables whose meaning others define. */
  readonly foreignVariables?: readonly ForeignVariable[];
}

export interface ForeignVariable {
  readonly names: readonly string[];
  readonly meaning: string;
  readonly accepts: string;
  readonly default: string;
}

/** A variable with a default. */
export function variable<Schema extends z.ZodType>(
  { accepts, schema, secret }: Kind<Schema>,
  defaultValue: z.core.util.NoUndefined<z.output<Schema>>,
  meaning: string,
): z.ZodDefault<Schema> {
  const documented = schema.default(defaultValue);
  const stated = toStatedDefault(defaultValue);
  documentation.add(documented, { meaning, accepts, default: stated, secret });
  return documented;
}

function toStatedDefault(defaultValue: unknown): string {
  if (Array.isArray(defaultValue)) return 'none';
  return typeof defaultValue === 'string' ? `\`${defaultValue}\`` : String(defaultValue);
}

/**
 * A variable that may be absent.
 * @param whenAbsent the default, in Markdown, where it depends on another variable
 */
export function optionalVariable<Schema extends z.ZodType>(
  { accepts, schema, secret }: Kind<Schema>,
  meaning: string,
  whenAbsent = 'none',
): z.ZodOptional<Schema> {
  const documented = schema.optional();
  documentation.add(documented, { meaning, accepts, default: whenAbsent, secret });
  return documented;
}

const DAY_MS = 86_400_000;
const GIBIBYTE = 2 ** 30;

export function wholeNumber(min: number, max: number, unit: string) {
  return integer(min, max, `a whole number of ${unit} from ${min} to ${max}`);
}

export const milliseconds = (min: 0 | 1, max = DAY_MS) => wholeNumber(min, max, 'milliseconds');

export const bytes = (min: number, max = GIBIBYTE) => wholeNumber(min, max, 'bytes');

export const PORT_NUMBER = integer(0, 65_535, 'a port number from 0 to 65535');

function integer(min: number, max: number, accepts: string) {
  const error = mustBe(accepts);
  const schema = z
    .string()
    .regex(/^\d+$/, error)
    .transform(Number)
    .refine((number) => number >= min && number <= max, error);
  return { accepts, schema };
}

export function oneOf<const T extends readonly [string, ...string[]]>(...values: T) {
  const accepts = `one of ${values.join(', ')}`;
  return { accepts, schema: z.enum(values, mustBe(accepts)) };
}

export const SWITCH = oneOf('on', 'off');

/** A string that satisfies a condition. */
export function text(accepts: string, isAccepted: (text: string) => boolean) {
  return { accepts, schema: z.string().refine(isAccepted, mustBe(accepts)) };
}

export const ANY_TEXT = text('any text', () => true);

const HEADER_TEXT = /^[\x21-\x7e]+$/;

export const isHeaderText = (value: string) => HEADER_TEXT.test(value);

/** Comma-separated items. */
export function listOf(kind: string, isItem: (item: string) => boolean) {
  const accepts = `a comma-separated list of ${kind}`;
  const schema = z
    .string()
    .transform((list) => list.split(',').map((entry) => entry.trim()))
    .refine((entries) => entries.every(isItem), mustBe(accepts));
  return { accepts, schema };
}

/** A whole number, or `off`. */
export function wholeNumberOrOff(min: number, max: number, unit: string) {
  const number = wholeNumber(min, max, unit);
  const accepts = `${number.accepts}, or off`;
  return { accepts, schema: z.union([z.literal('off'), number.schema], mustBe(accepts)) };
}

function mustBe(accepts: string): string {
  return `must be ${accepts}`;
}
