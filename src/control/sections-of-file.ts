import { isDeepStrictEqual } from 'node:util'
import { GatewayError } from '../core/error.ts'
import { isRecord } from '../core/is-record.ts'

/** Sections that only the file has, and why. */
const ofFile = [
  ['pluginModules', 'Modules of plugins are named in the file only: they are code.'],
  ['stores', 'The stores are named in the file only: all versions of the configuration are read from there.'],
] as const

/** Throws INVALID_ARGUMENT when something else than the file changes what is the file's. */
export function refuseSectionsOfFile(before: unknown, after: unknown): void {
  for (const [section, why] of ofFile) {
    if (isDeepStrictEqual(sectionOf(before, section), sectionOf(after, section))) continue
    throw new GatewayError('INVALID_ARGUMENT', why, {
      violations: [{ field: section, detail: 'cannot be changed by the API' }],
    })
  }
}

function sectionOf(data: unknown, section: string): unknown {
  return isRecord(data) ? data[section] : undefined
}
