import { createHash } from 'node:crypto'
import type { FrontEnd } from './core/front-end.ts'

/** A description as it is sent. */
export interface ApiDescription {
  /** JSON. */
  readonly body: string
  /** Strong (RFC 9110 section 8.8.3): the same for the same bytes, in every process. */
  readonly etag: string
}

/** What a front-end says of itself, described when it is first asked for and kept from then on; undefined when it says nothing. */
export function describedApi(frontEnd: FrontEnd | undefined): () => ApiDescription | undefined {
  let made: ApiDescription | undefined
  return () => {
    if (made !== undefined || frontEnd?.describe === undefined) return made
    const body = JSON.stringify(frontEnd.describe())
    made = { body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` }
    return made
  }
}
