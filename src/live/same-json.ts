/**
 * Whether two parsed JSON values are equal, whatever the order of their properties. Makes no garbage,
 * and ends at the first difference. A text of both would be several kilobytes for each poll.
 */
export function isSameJson(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null)
    return false;
  if (Array.isArray(one) || Array.isArray(other))
    return Array.isArray(one) && Array.isArray(other) && isSameList(one, other);
  let names = 0;
  for (const name in one) {
    names += 1;
    if (!Object.hasOwn(other, name)) return false;
    const [value, otherValue] = [(one as Json)[name], (other as Json)[name]];
    if (!isSameJson(value, otherValue)) return false;
  }
  for (const _ in other) names -= 1;
  return names === 0;
}

type Json = Readonly<Record<string, unknown>>;

function isSameList(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((item, index) => isSameJson(item, other[index]));
}
