import type { PluginFunction } from '@graphql-codegen/plugin-helpers';
import openapiTS, { astToString } from 'openapi-typescript';
import { OPENAPI_PATH, readWireContract, readWireEnums } from './openapi-document.ts';

/**
 * Generates the types of the upstream contract, the values of its enums, and the guarantees about
 * the keys of each object.
 */
export const plugin: PluginFunction = async (schema) => {
  const types = await openapiTS(OPENAPI_PATH, {
    immutable: true,
    rootTypes: true,
    rootTypesNoSchemaPrefix: true,
  });
  const enums = Object.entries(readWireEnums()).map(
    ([name, values]) => `  ${name}: ${JSON.stringify(values)},`,
  );
  const contracts = Object.entries(readWireContract())
    // An object has the same name in both contracts; envelopes are in one only.
    .filter(([name]) => schema.getType(name))
    .map(([name, contract]) => `  ${name}: ${JSON.stringify(contract)},`);
  return [
    astToString(types),
    '/** The documented values of each enum, as REST spells them. */',
    'export const wireEnums: { readonly [name: string]: readonly string[] } = {',
    ...enums,
    '};',
    '/** By the name of an object: the keys that are always present, and those that are never null if present. */',
    'export const wireContracts: {',
    '  readonly [name: string]: { readonly required: readonly string[]; readonly notNull: readonly string[] };',
    '} = {',
    ...contracts,
    '};',
    '',
  ].join('\n');
};
