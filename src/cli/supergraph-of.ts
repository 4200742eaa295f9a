import { readFileSync } from 'node:fs'
import { type ConfiguredSupergraph, composedOf, configuredSupergraph } from '../configured-supergraph.ts'
import { messageOf } from '../core/message-of.ts'
import type { CommandInput } from './command.ts'

/** The default of `graphql.limits.listSize`. */
const listSize = 10

/**
 * The supergraph that a command line means: composed of `words` as `accounts=schemas/accounts.graphql`, or the file of `--supergraph`, or what the
 * configuration says. Throws an Error.
 */
export async function supergraphOf(
  { config, values }: CommandInput,
  words: readonly string[],
): Promise<ConfiguredSupergraph> {
  const { supergraph } = values
  if (supergraph !== undefined && words.length > 0)
    throw new Error('--supergraph is composed already: name=file has no place beside it')
  if (supergraph !== undefined) return { supergraphSdl: readText(supergraph), hints: [], listSize }
  if (words.length === 0) return await configuredSupergraph({ file: config, environment: process.env })
  const subgraphs = words.map((word) => {
    const [, name, file] = /^([^=]+)=(.+)$/s.exec(word) ?? []
    if (name === undefined || file === undefined)
      throw new Error(`expected name=file, as in accounts=schemas/accounts.graphql, not "${word}"`)
    return { name, file, sdl: readText(file) }
  })
  return { ...(await composedOf(subgraphs)), listSize }
}

/** Throws an Error that names the file. */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new Error(`${file} cannot be read: ${messageOf(error)}`)
  }
}
