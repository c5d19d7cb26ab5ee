import {
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isObjectType,
  isUnionType,
} from 'graphql';

/**
 * Fields that would cost a request of their own: an order contains only these fields of its
 * campaign.
 */
const EMBEDDED_FIELDS: { readonly [field: string]: string } = { 'Call.campaign': '{ id name }' };

/**
 * Selects all fields that come with an object: every field without arguments, down to the leaves.
 */
export function selectAllFields(schema: GraphQLSchema, typeName: string): string {
  return selectionOf(schema.getType(typeName));
}

function selectionOf(type: GraphQLNamedType | undefined): string {
  if (isUnionType(type))
    return `{ __typename ${type
      .getTypes()
      .map((one) => `... on ${one.name} ${selectionOf(one)}`)
      .join(' ')} }`;
  if (!isObjectType(type)) return '';
  const fields = Object.values(type.getFields()).filter(({ args }) => args.length === 0);
  return `{ ${fields
    .map(
      (field) =>
        `${field.name} ${EMBEDDED_FIELDS[`${type.name}.${field.name}`] ?? selectionOf(getNamedType(field.type))}`,
    )
    .join(' ')} }`;
}
