import { Kind, parse, visit } from 'graphql';

/** The elements with this tag in an SDL, sorted: `Type.field`, `Type.field(argument)`. */
export function taggedIn(sdl: string, tag: string): string[] {
  const tagged: string[] = [];
  visit(parse(sdl), {
    Directive(directive, _key, _parent, _path, ancestors) {
      const value = directive.arguments?.[0]?.value;
      if (directive.name.value !== 'tag' || value?.kind !== Kind.STRING || value.value !== tag)
        return;
      const [type, field, argument] = ancestors.flatMap((node) =>
        'name' in node && node.name ? [node.name.value] : [],
      );
      tagged.push(argument === undefined ? `${type}.${field}` : `${type}.${field}(${argument})`);
    },
  });
  return tagged.sort();
}
