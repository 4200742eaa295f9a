import { z } from 'zod'
import { clientTlsKeys } from './client-tls-keys.ts'

const hostPort = z
  .string()
  .regex(/^(?:[^\s:/@[\]]+|\[[0-9a-fA-F:.]+\]):\d{1,5}$/, 'expected host:port')
  .transform((text) => {
    const colon = text.lastIndexOf(':')
    return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) }
  })
const nodes = z.array(hostPort).min(1)

/** `stores.redis`. */
export const redisKeys = z
  .strictObject({
    url: z.string().optional().describe('redis:// or rediss:// URL of one server; empty: no Redis.'),
    cluster: nodes
      .optional()
      .describe(
        'Instead of `url`, a Redis Cluster: host:port of some of its nodes, which tell of the others.',
      ),
    sentinel: z
      .strictObject({
        name: z.string().min(1).describe('What the sentinels call the master.'),
        nodes: nodes.describe('host:port of the sentinels.'),
        username: z.string().optional().describe('Of the sentinels, where they ask for one.'),
        password: z
          .string()
          .optional()
          .describe('Of the sentinels; that of Redis itself stands beside `sentinel`.'),
      })
      .optional()
      .describe('Instead of `url`, sentinels, which know where the master is; a failover is followed.'),
    username: z.string().optional().describe('Where Redis asks for one (ACL).'),
    password: z.string().optional().describe('Of the user; best from the environment.'),
    tls: clientTlsKeys
      .optional()
      .describe('How every node, and every sentinel, is verified; `{}`: TLS with the authorities of Node.'),
    keyPrefix: z
      .string()
      .regex(/^[A-Za-z0-9:._-]{0,64}$/, 'may have letters, digits, ":", ".", "_" and "-", at most 64')
      .default('')
      .describe('Put before every key, for gateways that share a Redis and nothing else.'),
  })
  .superRefine(({ url, cluster, sentinel, username, password, tls }, context) => {
    const refuse = (path: string[], message: string): void => {
      context.addIssue({ code: 'custom', path, message })
    }
    const places = Object.entries({ url, cluster, sentinel }).filter(([, place]) => place !== undefined)
    if (places.length === 0) refuse([], 'needs url, cluster or sentinel: where Redis is')
    for (const [key] of places.slice(1))
      refuse([key], `stands beside ${places[0]?.[0]}: Redis is in one place`)
    if (url === undefined) return
    if (/^\w+:\/\/[^/?#]*@/.test(url) && (username !== undefined || password !== undefined))
      refuse(['url'], 'has a user or password, and so has this; leave one out')
    if (tls !== undefined && url.startsWith('redis://')) refuse(['tls'], 'is for rediss:// URLs')
  })
