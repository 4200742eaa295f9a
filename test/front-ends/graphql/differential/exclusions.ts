/** What the generator leaves out because it is known to be answered otherwise than by one server. */
export type Exclusion = 'requiresOnInterfaceObject'

/** Of each: a case that shows it. Once that is answered right, its test fails, and the exclusion goes. */
export const exclusions: Readonly<
  Record<Exclusion, { seed: string; query: string; faults: { seed: string; rate: number } }>
> = {
  // The planner asks such a field of the interface, so of objects of other types than the fragment around it names as well:
  // what fails there is reported.
  requiresOnInterfaceObject: {
    seed: '5',
    query: '{ q8 { f0 { b: shared } f0 { ... on M1 { n0 } } } }',
    faults: { seed: '5/any/2/9', rate: 0.5 },
  },
}

/** All of them. */
export const excluded: ReadonlySet<Exclusion> = new Set(Object.keys(exclusions) as Exclusion[])
