import type { GraphQLFormattedError } from 'graphql'
import { isRecord } from '../../../core/is-record.ts'
import { type ErrorExtensions, extensionsFor } from '../errors.ts'

/** What clients see of the errors of a subgraph. */
export interface ErrorPolicy {
  /** Whose messages and extensions pass: those of errors with a code of their own, all, or none. The others are masked. */
  readonly messages: 'coded' | 'all' | 'none'
  readonly maskedMessage: string
  /** The only members of `extensions` that pass, besides the code; undefined: all but the hidden ones. */
  readonly keepExtensions?: readonly string[] | undefined
  /** Hidden besides what frameworks put there for developers. */
  readonly hideExtensions: readonly string[]
  /** Whether clients are told the subgraph's name. */
  readonly showSubgraph: boolean
  /** Whether clients are told the HTTP status of an answer that was no success. */
  readonly showStatus: boolean
}

/** What holds where nothing is said. */
export const usualErrorPolicy: ErrorPolicy = {
  messages: 'coded',
  maskedMessage: 'The subgraph failed.',
  hideExtensions: [],
  showSubgraph: true,
  showStatus: false,
}

/** An error of a subgraph as clients see it, and whether what it said was hidden. */
export interface PublicSubgraphError {
  readonly error: GraphQLFormattedError
  readonly masked: boolean
}

/** Turns an error that a subgraph reported into what clients see of it. `status`: of the HTTP answer that it stood in. */
export type ShowError = (reported: Readonly<Record<string, unknown>>, status: number) => PublicSubgraphError

/**
 * Compiles a policy. An error with a code of its own was written for clients; one without, or with INTERNAL_SERVER_ERROR, may say anything (a stack,
 * an SQL statement, a host).
 */
export function compileErrorPolicy(policy: ErrorPolicy): ShowError {
  const { messages, maskedMessage, keepExtensions, showStatus } = policy
  const hidden = new Set([...alwaysHidden, ...policy.hideExtensions.map(folded)])
  const kept = keepExtensions === undefined ? undefined : new Set(keepExtensions)
  const isShown = (name: string): boolean =>
    !alwaysHidden.has(folded(name)) && (kept === undefined ? !hidden.has(folded(name)) : kept.has(name))
  return (reported, status) => {
    const given = isRecord(reported.extensions) ? reported.extensions : {}
    const code = typeof given.code === 'string' ? given.code : undefined
    const isCoded = code !== undefined && code !== 'INTERNAL_SERVER_ERROR'
    const path = pathOf(reported.path)
    const told = showStatus && isFailure(status) ? { subgraphStatus: status } : undefined
    const passes = messages === 'all' || (messages === 'coded' && isCoded)
    if (!passes || typeof reported.message !== 'string') {
      const extensions = { ...extensionsFor('SUBGRAPH_ERROR'), ...told }
      return { error: { message: maskedMessage, ...path, extensions }, masked: true }
    }
    const members = Object.entries(given).filter(([name]) => isShown(name))
    const extensions: ErrorExtensions = {
      ...Object.fromEntries(members),
      ...extensionsFor('SUBGRAPH_ERROR', code),
      ...told,
    }
    return { error: { message: reported.message, ...path, extensions }, masked: false }
  }
}

/** Whether a status is worth being told. */
export function isFailure(status: number): boolean {
  return status !== 0 && (status < 200 || status > 299)
}

/** Messages of the gateway name the upstream, which is called as the subgraph more often than not. */
export function withoutUpstream(message: string): string {
  return message.replace(/upstream "[^"]*"/gi, (said) => (said.startsWith('U') ? 'A subgraph' : 'a subgraph'))
}

function folded(name: string): string {
  return name.toLowerCase().replaceAll('_', '')
}

/**
 * Never passed on: what frameworks put there for developers, and `http`, by which Apollo Server lets a resolver set the status and
 * the headers of an answer.
 */
const alwaysHidden = new Set([
  'exception',
  'stacktrace',
  'stack',
  'trace',
  'debug',
  'originalerror',
  'http',
  'ftv1',
])

function pathOf(path: unknown): { path?: readonly (string | number)[] } {
  if (!Array.isArray(path)) return {}
  const valid = path.every((part) => typeof part === 'string' || typeof part === 'number')
  return valid ? { path: path as (string | number)[] } : {}
}
