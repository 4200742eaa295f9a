import { z } from 'zod'

/** `5s`, `250ms`, `1m`, `24h`, `7d` as milliseconds, or undefined when the text is no duration. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text)
  if (match === null) return undefined
  return Math.round(Number(match[1]) * (durationUnits[match[2] as keyof typeof durationUnits] ?? 1))
}

/** Milliseconds as {@link parseDuration} reads them, in the largest unit that leaves no fraction. */
export function writtenDuration(ms: number): string {
  const units = Object.entries(durationUnits).sort(([, a], [, b]) => b - a)
  const [unit, length] = units.find(([, length]) => ms >= length && ms % length === 0) ?? ['ms', 1]
  return `${ms / length}${unit}`
}

/** `10mb`, `64kb`, `512b` as bytes (1kb = 1024 bytes), or undefined when the text is no size. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(b|kb|mb|gb)$/i.exec(text)
  if (match === null) return undefined
  return Math.round(
    Number(match[1]) * (sizeUnits[(match[2] ?? 'b').toLowerCase() as keyof typeof sizeUnits] ?? 1),
  )
}

/** Bytes as {@link parseSize} reads them, in the largest unit that leaves no fraction. */
export function writtenSize(bytes: number): string {
  const units = Object.entries(sizeUnits).sort(([, a], [, b]) => b - a)
  const [unit, length] = units.find(([, length]) => bytes >= length && bytes % length === 0) ?? ['b', 1]
  return `${bytes / length}${unit}`
}

/** A configuration value that is written as a duration (`5s`) and read as milliseconds. */
export function duration(): z.ZodType<number, string> {
  return z
    .string({ error: ({ input }) => (input === undefined ? undefined : `is ${noDuration}`) })
    .meta({ pattern: '^\\d+(\\.\\d+)?(ms|s|m|h|d)$' })
    .transform((text, context) => {
      const parsed = parseDuration(text)
      if (parsed !== undefined) return parsed
      context.addIssue(`"${text}" is ${noDuration}`)
      return z.NEVER
    })
}

/** What is said of a text that is no time. */
export const noTime = 'expected a time such as 2027-01-01T00:00:00Z'

/** A value that is written as a time (RFC 3339, any offset) and read as Unix time in milliseconds. */
export function time(): z.ZodType<number, string> {
  return z.iso.datetime({ offset: true, error: noTime }).transform((text) => Date.parse(text))
}

/** A configuration value that is written as a size (`10mb`) and read as bytes. */
export function size(): z.ZodType<number, string> {
  return z
    .string({ error: ({ input }) => (input === undefined ? undefined : `is ${noSize}`) })
    .meta({ pattern: '^\\d+(\\.\\d+)?([bB]|[kKmMgG][bB])$' })
    .transform((text, context) => {
      const parsed = parseSize(text)
      if (parsed !== undefined) return parsed
      context.addIssue(`"${text}" is ${noSize}`)
      return z.NEVER
    })
}

const durationUnits = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const sizeUnits = { b: 1, kb: 1_024, mb: 1_048_576, gb: 1_073_741_824 } as const
const noDuration = 'no duration; write 250ms, 5s, 1m, 24h or 7d'
const noSize = 'no size; write 512b, 64kb, 10mb or 1gb'
