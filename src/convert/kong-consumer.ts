import { createPublicKey } from 'node:crypto'
import { type Draft, known } from './draft.ts'
import { hashOfKey } from './hash-of-key.ts'
import { labels } from './kong-labels.ts'
import type { Reader } from './reader.ts'

/** A consumer with its keys, groups and issuers. */
export function convertConsumer(draft: Draft, consumer: Reader): void {
  consumer.skip(...labels)
  const id = draft.id('consumer', consumer.text('username') ?? consumer.text('custom_id') ?? 'consumer')
  consumer.skip('custom_id')
  const keys = consumer.children('keyauth_credentials').flatMap((credential) => {
    credential.skip(...labels, 'ttl')
    const key = credential.text('key')
    credential.finish()
    return key === undefined ? [] : [{ hash: hashOfKey(key) }]
  })
  for (const secret of consumer.children('jwt_secrets')) convertIssuer(draft, secret)
  const roles = consumer.children('acls').map((acl) => acl.text('group') ?? '')
  draft.consumers.push(known({ id, roles: list(roles), keys: keys.length > 0 ? keys : undefined }))
  consumer.finish()
}

/** Who signs tokens there is known by the consumer's `key`, which tokens have as `iss`. */
function convertIssuer(draft: Draft, secret: Reader): void {
  secret.skip(...labels)
  const [issuer, algorithm, hmac, pem] = [
    secret.text('key') ?? '',
    secret.text('algorithm') ?? 'HS256',
    secret.text('secret'),
    secret.text('rsa_public_key'),
  ]
  const isHmac = algorithm.startsWith('HS')
  if (isHmac && Buffer.byteLength(hmac ?? '') < 32) {
    secret.note('its secret has less than 32 bytes, too few for HMAC (RFC 7518 section 3.2): left out')
    return
  }
  secret.note('tokens must name an audience here: write it in place of "change-me" in auth.jwt')
  draft.jwt.push(
    known({
      issuer,
      audience: 'change-me',
      algorithms: [algorithm],
      secret: isHmac ? hmac : undefined,
      jwks: isHmac
        ? undefined
        : JSON.stringify({ keys: [createPublicKey(pem ?? '').export({ format: 'jwk' })] }),
    }),
  )
  secret.finish()
}

function list(items: readonly string[]): readonly string[] | undefined {
  return items.length > 0 ? items : undefined
}
