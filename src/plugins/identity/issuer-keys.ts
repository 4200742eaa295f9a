import type { JWTVerifyGetKey } from 'jose'

/** The keys that tokens of one issuer are checked with. */
export interface IssuerKeys {
  readonly getKey: JWTVerifyGetKey
  /** Another one once keys came or went: what was verified before must be verified again. */
  readonly version: number
  /** What is wrong with them, for people; undefined: nothing. */
  readonly trouble?: string | undefined
  /** For those that change: fetches them unless somebody has just done so; never rejects. */
  refresh?(): Promise<void>
}
