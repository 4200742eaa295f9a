/** What the generator leaves out because the planner gets it wrong, each with a test that fails once it does not. */
export type Exclusion = 'chainedRequires' | 'requiresOnInterfaceObject'

export type Exclusions = ReadonlySet<Exclusion>

export const exclusions: Exclusions = new Set(['requiresOnInterfaceObject'])
