import { dirname, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { type Environment, expandReferences } from '../config/document.ts'
import { GatewayError } from '../core/error.ts'
import { isRecord } from '../core/is-record.ts'
import { ConfigText } from './config-text.ts'

/**
 * Who may use the admin API may not run code of this machine or read its files by that: modules of plugins, `file://` outside of the folder of the
 * configuration, and where the stores are, is for who writes the file. Throws INVALID_ARGUMENT.
 */
export function refuseForeignFiles(text: string, before: unknown, place: ConfigPlace): void {
  const { data } = new ConfigText(text)
  for (const [section, why] of ofFile) {
    if (isDeepStrictEqual(sectionOf(data, section), sectionOf(before, section))) continue
    throw new GatewayError('INVALID_ARGUMENT', why, {
      violations: [{ field: section, detail: 'cannot be changed by the API' }],
    })
  }
  const known = new Set(filesOf(before, place))
  const foreign = filesOf(data, place).filter((url) => !known.has(url) && isOutside(url, dirname(place.file)))
  if (foreign.length === 0) return
  throw new GatewayError(
    'INVALID_ARGUMENT',
    'Files outside of the folder of the configuration are named in the file only.',
    {
      violations: foreign.map((url) => ({ field: url, detail: 'cannot be brought in by the API' })),
    },
  )
}

/** Sections that only the file has, and why. */
const ofFile = [
  ['pluginModules', 'Modules of plugins are named in the file only.'],
  ['stores', 'The stores are named in the file only: all versions of the configuration are read from there.'],
] as const

function sectionOf(data: unknown, section: string): unknown {
  return isRecord(data) ? data[section] : undefined
}

/** `file://` as it stands when variables are filled in. */
function filesOf(value: unknown, place: ConfigPlace): readonly string[] {
  if (typeof value === 'string') {
    const url = expanded(value, place.environment)
    return url.startsWith('file://') ? [url] : []
  }
  if (Array.isArray(value)) return value.flatMap((item) => filesOf(item, place))
  return isRecord(value) ? Object.values(value).flatMap((member) => filesOf(member, place)) : []
}

function expanded(text: string, environment: Environment): string {
  try {
    return expandReferences(text, environment)
  } catch {
    // It is refused for that.
    return ''
  }
}

function isOutside(url: string, folder: string): boolean {
  const path = url.startsWith('file:///') ? fileURLToPath(url) : resolve(folder, url.slice('file://'.length))
  const way = relative(folder, path)
  return way === '..' || way.startsWith(`..${sep}`)
}

/** What a text of the configuration is read with. */
export interface ConfigPlace {
  /** Where it stands, absolute. */
  readonly file: string
  readonly environment: Environment
}
