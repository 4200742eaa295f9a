import type { Build } from './build.ts'
import type { UpstreamConfig } from './config/schema.ts'
import { messageOf } from './core/message-of.ts'
import { mistakeOfAuthorities, mistakeOfPair, TlsIdentities } from './listener/tls-identities.ts'

/** The certificates of `server.tls`, checked. Throws a ConfigError that names the key and its file. */
export function buildIdentities(build: Build): TlsIdentities | undefined {
  const { tls } = build.config.server
  if (tls === undefined) return undefined
  const path = ['server', 'tls']
  checkPair(build, tls, path)
  tls.certificates.forEach((pair, index) => {
    checkPair(build, pair, [...path, 'certificates', index])
  })
  checkAuthorities(build, tls.clientCa, [...path, 'clientCa'])
  try {
    const { cert, key, certificates, minVersion, clientCa } = tls
    return new TlsIdentities({ pairs: [{ hosts: [], cert, key }, ...certificates], minVersion, clientCa })
  } catch (error) {
    throw build.error(path, messageOf(error))
  }
}

/** The certificates that upstreams, and where they are found, are verified by and that are shown to them. */
export function checkUpstreamTls(build: Build): void {
  checkClientTls(build, build.config.stores.redis?.tls, ['stores', 'redis', 'tls'])
  checkClientTls(build, build.config.stores.database.tls, ['stores', 'database', 'tls'])
  for (const [name, { tls, discovery }] of Object.entries(build.config.upstreams)) {
    checkClientTls(build, tls, ['upstreams', name, 'tls'])
    if (discovery?.type === 'etcd')
      checkClientTls(build, discovery.tls, ['upstreams', name, 'discovery', 'tls'])
  }
}

function checkClientTls(build: Build, tls: UpstreamConfig['tls'], path: readonly string[]): void {
  if (tls === undefined) return
  checkAuthorities(build, tls.ca, [...path, 'ca'])
  if (tls.cert !== undefined && tls.key !== undefined)
    checkPair(build, { cert: tls.cert, key: tls.key }, path)
  if (tls.insecureSkipVerify) {
    build.log.warn(
      { 'gateway.upstream': path[1] },
      'insecureSkipVerify: certificates of this upstream are not verified',
    )
  }
}

function checkPair(
  build: Build,
  { cert, key }: { readonly cert: string; readonly key: string },
  path: readonly PropertyKey[],
): void {
  const mistake = mistakeOfPair(cert, key)
  if (mistake !== undefined) throw build.errorIn([...path, mistake.of], mistake.message)
}

function checkAuthorities(build: Build, pem: string | undefined, path: readonly PropertyKey[]): void {
  const mistake = pem === undefined ? undefined : mistakeOfAuthorities(pem)
  if (mistake !== undefined) throw build.errorIn(path, mistake)
}
