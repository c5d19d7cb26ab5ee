/**
 * An operation in a tab of GraphiQL. It is in its own file, because public types must not depend on
 * graphql-yoga.
 */
export interface ExampleOperation {
  /** What the operation shows. */
  readonly description: string;
  readonly query: string;
  readonly variables?: { readonly [name: string]: unknown };
}
