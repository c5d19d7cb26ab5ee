/** A tab of GraphiQL: one operation, ready to run, and what it is about. Apart from the rest, for it is all that others see of GraphiQL. */
export interface ReadyOperation {
  readonly about: string;
  readonly query: string;
  readonly variables?: { readonly [name: string]: unknown };
}
