import type { ConnectionOptions } from 'node:tls'
import { clientTls } from './client-tls.ts'
import type { Config } from './config/schema.ts'

/** Where PostgreSQL is and how it is verified, in the words of its driver, for a `stores.database.url` of `postgres://`. `tls` is undefined without TLS. */
export function postgresAddress({ url: text, tls }: Config['stores']['database']): {
  readonly url: string
  readonly tls: ConnectionOptions | undefined
} {
  const url = new URL(text)
  // Another word for `tls`, in which the driver would mean something else from one version to the next.
  const mode = url.searchParams.get('sslmode') ?? 'disable'
  url.searchParams.delete('sslmode')
  const isPlain = tls === undefined && ['disable', 'allow', 'prefer'].includes(mode)
  return { url: url.href, tls: isPlain ? undefined : clientTls(tls) }
}
