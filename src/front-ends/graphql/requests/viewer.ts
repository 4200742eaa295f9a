import type { Exchange } from '../../../core/exchange.ts'

/** What a caller may learn of the schema without asking for data. */
export interface Viewer {
  /** Whether it may ask for the schema. */
  readonly introspection: boolean
  /** Whether errors may name what it could have meant. */
  readonly suggestions: boolean
}

/** Whom a rule holds for: everybody, nobody, or who meets it. */
export type Audience = boolean | ((x: Exchange) => boolean)

/** Makes the viewer that a caller is; always one of the same four. */
export function viewerBy(introspection: Audience, suggestions: Audience): (x: Exchange) => Viewer {
  return (x) => viewers[(isMet(introspection, x) ? 2 : 0) + (isMet(suggestions, x) ? 1 : 0)] as Viewer
}

function isMet(audience: Audience, x: Exchange): boolean {
  return typeof audience === 'boolean' ? audience : audience(x)
}

const viewers: readonly Viewer[] = [
  { introspection: false, suggestions: false },
  { introspection: false, suggestions: true },
  { introspection: true, suggestions: false },
  { introspection: true, suggestions: true },
]
