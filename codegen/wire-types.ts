import type { PluginFunction } from '@graphql-codegen/plugin-helpers';
import openapiTS, { astToString } from 'openapi-typescript';
import { OPENAPI_PATH, readWireEnums } from './openapi-document.ts';

/** What we rely on, as types of what comes over the wire, and the values of its enums. */
export const plugin: PluginFunction = async () => {
  const types = await openapiTS(OPENAPI_PATH, { rootTypes: true, rootTypesNoSchemaPrefix: true });
  const enums = Object.entries(readWireEnums()).map(([name, values]) => `  ${name}: ${JSON.stringify(values)},`);
  return [
    astToString(types),
    '/** The documented values of each enum, as REST spells them. */',
    'export const wireEnums: { readonly [name: string]: readonly string[] } = {',
    ...enums,
    '};',
    '',
  ].join('\n');
};
