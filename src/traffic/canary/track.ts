/** The two sides of a release: what served before, and the new version. */
export type Track = 'stable' | 'canary'

export type Outcome = 'ok' | 'failed' | 'neutral'
