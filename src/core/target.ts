import { z } from 'zod'

/** One backend of an upstream: where it listens and how much of the traffic it takes. */
export interface Target {
  /** `http://host:port` or `https://host:port`; a path is not allowed. For gRPC the scheme tells cleartext from TLS. */
  readonly url: string
  /** Share of the traffic relative to the other targets; 0 takes nothing new. */
  readonly weight: number
  /** Targets of the lowest number serve, those of the next stand by. */
  readonly priority: number
}

/** How a target is written in the configuration, and in the stores that targets are found in. */
export const targetShape = {
  url: z
    .string()
    .regex(/^https?:\/\/[^/?#@]+\/?$/, 'expected http://host:port or https://host:port without a path')
    .refine(
      (url) => !/^https?:\/\//.test(url) || URL.canParse(url),
      'expected http://host:port or https://host:port',
    )
    .describe('http://host:port or https://host:port.'),
  weight: z.int().min(0).max(65_535).default(100).describe('Share of the traffic; 0 takes nothing new.'),
  priority: z
    .int()
    .min(0)
    .max(100)
    .default(0)
    .describe(
      'Targets of the lowest number serve; those of the next take over when none of them is healthy.',
    ),
}
