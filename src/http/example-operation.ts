/** A tab of GraphiQL. In a file of its own: it is part of the public types, which must not depend on those of graphql-yoga. */
export interface ExampleOperation {
  /** What the operation shows. */
  readonly description: string;
  readonly query: string;
  readonly variables?: { readonly [name: string]: unknown };
}
