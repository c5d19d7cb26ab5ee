/**
 * The one rule between the names of REST and the names of GraphQL.
 *
 * A GraphQL field is the camel case of the REST key; an enum value is the REST value in upper case, with every run of characters that
 * GraphQL does not allow turned into one `_`. So the documentation of the Revox API stays everyone's documentation.
 */

/** `to_phone_number` → `toPhoneNumber` */
export function toFieldName(key: string): string {
  return key.replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** `toPhoneNumber` → `to_phone_number` */
export function toKey(fieldName: string): string {
  return fieldName.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** `ios-screening-filter` → `IOS_SCREENING_FILTER` */
export function toEnumName(value: string): string {
  return value.replace(/[^A-Za-z0-9]+/g, '_').toUpperCase();
}

/**
 * Where the rule does not hold, by type and field. `voice.id` names a vendor's voice, not the object it stands in: as `id`, clients
 * that normalise on `id` would mix the settings of two assistants.
 */
const EXCEPTIONS: { readonly [type: string]: { readonly [field: string]: string } } = {
  Voice: { voiceId: 'id' },
};

/** The REST key that a field of a type stands for. */
export function keyOf(typeName: string, fieldName: string): string {
  return EXCEPTIONS[typeName]?.[fieldName] ?? toKey(fieldName);
}

/** The enum value that stands for any REST value newer than the schema. It is no value of the upstream's. */
export const UNRECOGNIZED = 'UNRECOGNIZED';
