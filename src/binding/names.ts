/**
 * The only rule that maps the names of REST to the names of GraphQL.
 *
 * A GraphQL field is the REST key in camel case; an enum value is the REST value in upper case, in
 * which one `_` replaces every run of characters that GraphQL does not allow. The documentation of
 * the Revox API therefore also documents the gateway.
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
 * Exceptions to the rule, by type and field. `voice.id` identifies a vendor's voice, not the object
 * that contains it: clients that normalise on `id` would mix the settings of two assistants.
 */
const EXCEPTIONS: { readonly [type: string]: { readonly [field: string]: string } } = {
  Voice: { voiceId: 'id' },
};

/** The REST key of a field of a type. */
export function keyOf(typeName: string, fieldName: string): string {
  return EXCEPTIONS[typeName]?.[fieldName] ?? toKey(fieldName);
}

/**
 * The enum value that represents any REST value newer than the schema. The upstream itself does not
 * use it.
 */
export const UNRECOGNIZED = 'UNRECOGNIZED';
