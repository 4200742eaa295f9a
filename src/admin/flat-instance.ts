import { isIPv6 } from 'node:net'
import { z } from 'zod'
import { isSpelledFlat } from './flat-route.ts'

/** An instance in one line of curl, as other registries' users write it. */
export const flatInstanceShape = z
  .strictObject({
    service_name: z.string(),
    instance_id: z.string().max(256).optional().describe('Not kept: an instance is known by its url.'),
    host: z
      .string()
      .min(1)
      .max(253)
      .regex(/^[^/?#@\s]+$/, 'is a host name or an address'),
    port: z.int().min(1).max(65_535),
    protocol: z.enum(['http', 'https', 'grpc', 'grpcs']).default('http'),
    weight: z.int().optional(),
  })
  .meta({ id: 'FlatInstance' })

/** Whether an instance is spelled flat. Throws INVALID_ARGUMENT for one that is half this and half that. */
export function isFlatInstance(sent: Readonly<Record<string, unknown>>): boolean {
  // weight is called the same in both.
  const { weight: _, ...others } = sent
  return isSpelledFlat(others, Object.keys(flatInstanceShape.shape))
}

/** The full spelling of it, and what it does not say. */
export function flatInstance(flat: z.output<typeof flatInstanceShape>): {
  readonly instance: object
  readonly warnings: readonly string[]
} {
  const { service_name: service, instance_id: id, host, port, protocol, weight } = flat
  const scheme = protocol === 'https' || protocol === 'grpcs' ? 'https' : 'http'
  const url = `${scheme}://${isIPv6(host) ? `[${host}]` : host}:${port}`
  const warnings =
    id === undefined ? [] : [`instance_id is not kept: the instance is known by its url, ${url}`]
  return { instance: { service, url, ...(weight !== undefined && { weight }) }, warnings }
}
