import { wireEnums } from '#generated/revox-api.ts';
import { toEnumName, UNRECOGNIZED } from './names.ts';

/** Enums that only arguments use: they have no `UNRECOGNIZED`. */
const INPUT_ONLY = new Set(['CampaignRowResult']);

/**
 * The internal values of the schema's enums, for `makeExecutableSchema`: resolvers receive and
 * return REST values. An enum has the same name in both contracts.
 */
export const enumResolvers: Record<string, Record<string, string>> = Object.fromEntries(
  Object.entries(wireEnums).map(([name, values]) => {
    const internal = Object.fromEntries(values.map((value) => [toEnumName(value), value]));
    return [name, INPUT_ONLY.has(name) ? internal : { ...internal, [UNRECOGNIZED]: UNRECOGNIZED }];
  }),
);
