import type { GraphQLFormattedError } from 'graphql'
import { type ErrorExtensions, extensionsFor } from '../errors.ts'

/** An error of a subgraph as clients see it, and whether what it said was hidden. */
export interface PublicSubgraphError {
  readonly error: GraphQLFormattedError
  readonly masked: boolean
}

/**
 * What clients see of an error that a subgraph reported. One with a code of its own was written for them and passes with its
 * message; one without, or with INTERNAL_SERVER_ERROR, may say anything (a stack, an SQL statement, a host) and is masked.
 */
export function publicSubgraphError(reported: Readonly<Record<string, unknown>>): PublicSubgraphError {
  const given = isRecord(reported.extensions) ? reported.extensions : {}
  const { code } = given
  const path = pathOf(reported.path)
  if (typeof code !== 'string' || code === 'INTERNAL_SERVER_ERROR' || typeof reported.message !== 'string') {
    return {
      error: { message: 'The subgraph failed.', ...path, extensions: extensionsFor('SUBGRAPH_ERROR') },
      masked: true,
    }
  }
  const extensions: ErrorExtensions = { ...shown(given), ...extensionsFor('SUBGRAPH_ERROR', code) }
  return { error: { message: reported.message, ...path, extensions }, masked: false }
}

/**
 * Never passed on: what frameworks put there for developers, and `http`, by which Apollo Server would let a subgraph set the status
 * and the headers of the gateway's answer.
 */
const hidden = new Set([
  'exception',
  'stacktrace',
  'stack',
  'trace',
  'debug',
  'originalerror',
  'http',
  'ftv1',
])

function shown(given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(given).filter(([name]) => !hidden.has(name.toLowerCase().replaceAll('_', ''))),
  )
}

function pathOf(path: unknown): { path?: readonly (string | number)[] } {
  if (!Array.isArray(path)) return {}
  const valid = path.every((part) => typeof part === 'string' || typeof part === 'number')
  return valid ? { path: path as (string | number)[] } : {}
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
