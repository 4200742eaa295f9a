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
    throw refusal(section, why)
  }
}

/** Throws INVALID_ARGUMENT for modules that something else than the file names: to check a document that names them would run them. */
export function refuseNewModules(before: unknown, after: unknown): void {
  const [[section, why]] = ofFile
  const named = sectionOf(after, section)
  if (named !== undefined && !isDeepStrictEqual(named, sectionOf(before, section)))
    throw refusal(section, why)
}

function refusal(section: string, why: string): GatewayError {
  return new GatewayError('INVALID_ARGUMENT', why, {
    violations: [{ field: section, detail: 'cannot be changed by the API' }],
  })
}

function sectionOf(data: unknown, section: string): unknown {
  return isRecord(data) ? data[section] : undefined
}
