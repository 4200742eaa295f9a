/** A content coding that the gateway can write. */
export type CodingName = 'zstd' | 'br' | 'gzip'

/**
 * The coding that the client wants most (RFC 9110 section 12.5.3): the highest weight, of equal ones the first offered; undefined for none.
 * Without the header any coding would do, and none is safest. `identity` counts only where the client names it.
 */
export function chooseCoding(
  accept: string | undefined,
  offered: readonly CodingName[],
): CodingName | undefined {
  if (accept === undefined || accept === '') return undefined
  const weights = readWeights(accept)
  const others = weights.get('*') ?? 0
  let chosen: CodingName | undefined
  let most = 0
  for (const name of offered) {
    const weight = weights.get(name) ?? (name === 'gzip' ? weights.get('x-gzip') : undefined) ?? others
    if (weight > most) {
      chosen = name
      most = weight
    }
  }
  return (weights.get('identity') ?? 0) > most ? undefined : chosen
}

/** Weights by coding in lower case; an element that cannot be read is passed over. */
function readWeights(accept: string): Map<string, number> {
  const weights = new Map<string, number>()
  for (const element of accept.toLowerCase().split(',')) {
    const match =
      /^[ \t]*([a-z0-9!#$%&'*+.^_`|~-]+)[ \t]*(?:;[ \t]*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)[ \t]*)?$/.exec(
        element,
      )
    if (match !== null) weights.set(match[1] as string, Number(match[2] ?? 1))
  }
  return weights
}
