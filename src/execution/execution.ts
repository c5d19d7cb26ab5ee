import { CollectedErrors } from './collected-errors.ts';
import { ResponseData } from './response-data.ts';

/** The state of one execution of a plan. */
export class Execution {
  readonly context: unknown;
  /** The coerced variables. */
  readonly variableValues: { [name: string]: unknown };
  readonly errors = new CollectedErrors();
  readonly data = new ResponseData();

  constructor(context: unknown, variableValues: { [name: string]: unknown }) {
    this.context = context;
    this.variableValues = variableValues;
  }
}
