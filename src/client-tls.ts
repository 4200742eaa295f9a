import type { ConnectionOptions } from 'node:tls'
import type { z } from 'zod'
import type { clientTlsKeys } from './config/client-tls-keys.ts'

/** `tls` of a server that the gateway connects to, in the words of Node. */
export function clientTls(keys: z.output<typeof clientTlsKeys> | undefined): ConnectionOptions {
  const { serverName, insecureSkipVerify = false, ca, cert, key } = keys ?? {}
  return {
    ...(ca === undefined ? undefined : { ca }),
    ...(cert === undefined ? undefined : { cert }),
    ...(key === undefined ? undefined : { key }),
    rejectUnauthorized: !insecureSkipVerify,
    ...(serverName === undefined ? undefined : { servername: serverName }),
  }
}
