/** Share of its weight that a target begins with. */
const least = 0.1

/**
 * What a target's weight is multiplied by so that it warms up before it takes its full share: 0.1 when it has just become
 * available, then in a straight line to 1 after `windowMs`. A window of 0 is no slow start.
 */
export function slowStartFactor(availableForMs: number, windowMs: number): number {
  const age = Math.max(0, availableForMs)
  return age < windowMs ? least + (1 - least) * (age / windowMs) : 1
}
