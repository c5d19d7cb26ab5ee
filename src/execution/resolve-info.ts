import type {
  FieldNode,
  FragmentDefinitionNode,
  GraphQLObjectType,
  GraphQLOutputType,
  GraphQLResolveInfo,
  GraphQLSchema,
  OperationDefinitionNode,
} from 'graphql';
import type { Execution } from './execution.ts';
import type { FieldPlan } from './field-plan.ts';

type Path = GraphQLResolveInfo['path'];

/**
 * The `info` argument of a resolver, and the path of the field: one small object for each resolved
 * field. Everything else comes from the plan and from the execution.
 */
export class ResolveInfo implements GraphQLResolveInfo, Path {
  readonly prev: Path | undefined;
  readonly field: FieldPlan;
  readonly execution: Execution;

  constructor(field: FieldPlan, parentPath: Path | undefined, execution: Execution) {
    this.prev = parentPath;
    this.field = field;
    this.execution = execution;
  }

  get path(): Path {
    return this;
  }

  get key(): string {
    return this.field.responseName;
  }

  get typename(): string {
    return this.field.parentType.name;
  }

  get fieldName(): string {
    return this.field.definition.name;
  }

  get fieldNodes(): readonly FieldNode[] {
    return this.field.fieldNodes;
  }

  get returnType(): GraphQLOutputType {
    return this.field.definition.type;
  }

  get parentType(): GraphQLObjectType {
    return this.field.parentType;
  }

  get schema(): GraphQLSchema {
    return this.field.plan.schema;
  }

  get fragments(): { [name: string]: FragmentDefinitionNode } {
    return this.field.plan.fragments;
  }

  get rootValue(): undefined {
    return undefined;
  }

  get operation(): OperationDefinitionNode {
    return this.field.plan.operation;
  }

  get variableValues(): { [name: string]: unknown } {
    return this.execution.variableValues;
  }
}
