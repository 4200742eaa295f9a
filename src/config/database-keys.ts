import { z } from 'zod'
import { duration } from '../core/units.ts'
import { clientTlsKeys } from './client-tls-keys.ts'

/** `stores.database`. */
export const databaseKeys = z
  .strictObject({
    url: z
      .string()
      .default('')
      .superRefine((url, context) => {
        const message = mistakeOf(url)
        if (message !== undefined) context.addIssue(message)
      })
      .describe(
        'sqlite:path of a file, relative to the folder of this one; sqlite::memory:; or postgres://user:password@host:port/name, for several gateways. Empty: sqlite:./data/gateway.db, and sqlite::memory: for a gateway that is made from an object.',
      ),
    tls: clientTlsKeys
      .optional()
      .describe('How PostgreSQL is verified; `{}`: TLS with the authorities of Node.'),
    connections: z
      .int()
      .min(2)
      .max(100)
      .default(10)
      .describe('Connections to PostgreSQL at the most; one more listens.'),
    queryTimeout: duration()
      .prefault('2s')
      .describe('How long the database may take to answer before it is taken for gone.'),
    searchTimeout: duration().prefault('30s').describe('How long a search of the logs may take.'),
  })
  .prefault({})
  .superRefine(({ url, tls }, context) => {
    const refuse = (message: string): void => context.addIssue({ code: 'custom', path: ['tls'], message })
    if (tls === undefined) return
    if (!isPostgres(url)) refuse('is for postgres:// URLs')
    else if (new URL(url).searchParams.get('sslmode') === 'disable')
      refuse('contradicts sslmode=disable in the URL')
  })

function isPostgres(url: string): boolean {
  return /^postgres(?:ql)?:\/\//.test(url)
}

/** Says nothing of the value: it may hold a password. */
function mistakeOf(url: string): string | undefined {
  if (url === '') return undefined
  if (url.startsWith('sqlite:')) {
    const path = url.slice('sqlite:'.length)
    if (path === '') return 'names no file: expected sqlite:./data/gateway.db'
    if (path.startsWith('//') || path.includes('?'))
      return 'expected a path after "sqlite:", for instance sqlite:./data/gateway.db or sqlite:/var/lib/gateway.db'
    return undefined
  }
  if (!isPostgres(url)) return 'expected sqlite:path or postgres://user:password@host:port/name'
  if (!URL.canParse(url)) return 'is no URL: are special characters of the password percent-encoded?'
  return new URL(url).pathname.length < 2
    ? 'names no database: expected postgres://host:port/name'
    : undefined
}
