/** A schema whose exclusive bounds are flags (OpenAPI 3.0) with bounds that are numbers (JSON Schema since draft 6). */
export function exclusiveBounds(schema: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const made = { ...schema }
  for (const [bound, exclusive] of bounds) {
    if (made[exclusive] === true && typeof made[bound] === 'number') {
      made[exclusive] = made[bound]
      delete made[bound]
    } else if (typeof made[exclusive] === 'boolean') delete made[exclusive]
  }
  return made
}

const bounds = [
  ['minimum', 'exclusiveMinimum'],
  ['maximum', 'exclusiveMaximum'],
] as const
