/** Any object of a description. */
export type Json = Record<string, unknown>

/** A reference to a component. */
export function ref(section: string, name: string): { readonly $ref: string } {
  return { $ref: `#/components/${section}/${name}` }
}
