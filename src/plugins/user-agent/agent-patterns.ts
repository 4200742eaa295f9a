/**
 * Patterns of user agents, compiled: without `*` a text that occurs anywhere (`curl`), with it the whole value (`Mozilla/*Firefox/*`). Case
 * does not matter. No regular expressions: a question takes time in proportion to the value, whatever it holds.
 */
export function agentPatterns(patterns: readonly string[]): (agent: string) => boolean {
  const compiled = patterns.map((pattern) => pattern.toLowerCase().split('*'))
  return (agent) => {
    const value = agent.toLowerCase()
    return compiled.some((parts) => fits(value, parts))
  }
}

/** Each part is looked for behind the one before; the first place is as good as any, since a `*` follows. */
function fits(value: string, parts: readonly string[]): boolean {
  const [first = '', ...rest] = parts
  const last = rest.pop()
  if (last === undefined) return value.includes(first)
  if (!value.startsWith(first)) return false
  let at = first.length
  for (const part of rest) {
    const found = value.indexOf(part, at)
    if (found === -1) return false
    at = found + part.length
  }
  return value.length - last.length >= at && value.endsWith(last)
}
