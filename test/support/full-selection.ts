import { type GraphQLNamedType, type GraphQLSchema, getNamedType, isObjectType, isUnionType } from 'graphql';

/** What would be fetched for, and not come along with an answer: the campaign of a call is known by these only. */
const EMBEDDED_FIELDS: { readonly [field: string]: string } = { 'Call.campaign': '{ id name }' };

/** Selects all that comes with an object: every field that takes no argument, down to the leaves. */
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
    .map((field) => `${field.name} ${EMBEDDED_FIELDS[`${type.name}.${field.name}`] ?? selectionOf(getNamedType(field.type))}`)
    .join(' ')} }`;
}
