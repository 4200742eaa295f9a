/** What the generator leaves out because it is known to be answered otherwise than by one server. */
export type Exclusion = keyof typeof exclusions

/** Of each: a case that shows it. Once that is answered right, its test fails, and the exclusion goes. */
export const exclusions = {
  /** A field whose `@requires` names a field that has a `@requires` itself: sometimes planned as if the inner one had none. */
  chainedRequires: { seed: '18', query: 'mutation Q { b: m3 { f1 { f0 { f0 { a: f2 } } } } }' },
  /** `@requires` in an `@interfaceObject`: asked of objects of other types than the fragment around it names. */
  requiresOnInterfaceObject: { seed: '', query: '' },
} as const
