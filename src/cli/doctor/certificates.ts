import { X509Certificate } from 'node:crypto'
import type { Config } from '../../config/schema.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

const dayMs = 86_400_000
/** The log says so from then on, too. */
const soonDays = 14

/** How long every certificate of the configuration is valid: those that clients are shown, and those by which others are known. */
export function lookAtCertificates(config: Config, nowMs: number): Finding[] {
  return certificatesOf(config).flatMap(({ place, pem }) =>
    parts(pem).map((part) => lookAt(place, part, nowMs)),
  )
}

function lookAt(place: string, pem: string, nowMs: number): Finding {
  const { subject, validFrom, validTo } = new X509Certificate(pem)
  const name = `${place} (${subject.replaceAll('\n', ', ')})`
  const leftDays = Math.floor((Date.parse(validTo) - nowMs) / dayMs)
  if (Date.parse(validTo) <= nowMs)
    return fail(
      'certificate',
      `${name} ended at ${validTo}`,
      'renew it; the gateway takes the new file by itself',
    )
  if (Date.parse(validFrom) > nowMs)
    return fail(
      'certificate',
      `${name} is valid from ${validFrom} only`,
      'look at the clock of this machine, or wait',
    )
  if (leftDays < soonDays)
    return warn(
      'certificate',
      `${name} ends in ${leftDays} days, at ${validTo}`,
      'renew it; the gateway takes the new file by itself',
    )
  return ok('certificate', `${name} is valid for ${leftDays} days`)
}

function certificatesOf({ server, upstreams, stores }: Config): { place: string; pem: string }[] {
  const found: (readonly [string, string | undefined])[] = [
    ['server.tls.cert', server.tls?.cert],
    ['server.tls.clientCa', server.tls?.clientCa],
    ['stores.redis.tls.ca', stores.redis?.tls?.ca],
    ['stores.redis.tls.cert', stores.redis?.tls?.cert],
  ]
  server.tls?.certificates.forEach(({ cert }, index) => {
    found.push([`server.tls.certificates[${index}].cert`, cert])
  })
  for (const [name, { tls }] of Object.entries(upstreams))
    found.push([`upstreams.${name}.tls.ca`, tls?.ca], [`upstreams.${name}.tls.cert`, tls?.cert])
  return found.flatMap(([place, pem]) => (pem === undefined ? [] : [{ place, pem }]))
}

function parts(pem: string): readonly string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? []
}
