import { classifyRequestHeader } from './headers.ts'

/** Header names as written in the configuration: `x-tenant`, or `x-*` for all that begin so. */
export interface NamePatterns {
  /** Lower case, without those that a pattern covers anyway. */
  readonly names: readonly string[]
  /** What comes before the `*`, lower case. */
  readonly prefixes: readonly string[]
}

export function readNamePatterns(written: readonly string[]): NamePatterns {
  const lower = [...new Set(written.map((name) => name.toLowerCase()))]
  return {
    names: lower.filter((name) => !name.endsWith('*')),
    prefixes: lower.filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1)),
  }
}

/** Whether a lower-case name begins as one of them. */
export function beginsAs(prefixes: readonly string[], name: string): boolean {
  for (let i = 0; i < prefixes.length; i++) if (name.startsWith(prefixes[i] as string)) return true
  return false
}

/**
 * Whether a client's header says something of the message that it came with, so that it is wrong beside a message that the gateway makes:
 * its body, and how the answer is to be coded, cut or compared.
 */
export function describesMessage(name: string): boolean {
  return about.test(name)
}

/** Why a client's header must not be forwarded to subgraphs by that name or pattern; undefined when it may. */
export function forwardProblem(written: string): string | undefined {
  const name = written.toLowerCase()
  if (!/^(?:[a-z0-9!#$%&'+.^_`|~-]+\*?|\*)$/.test(name))
    return `"${written}" is no header name, nor one with a * at its end`
  if (name.endsWith('*')) return undefined
  if (describesMessage(name))
    return `"${written}" describes the client's own message, and a fetch is another one`
  if (classifyRequestHeader(name) !== 'drop') return undefined
  return `a client's own "${written}" is never forwarded: the gateway writes it, or it belongs to one connection`
}

const about = /^(?:accept(?:-encoding|-charset)?|content-.*|range|if-.*|sec-.*)$/
