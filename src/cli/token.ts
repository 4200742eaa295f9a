import { SignJWT } from 'jose'
import type { CommandInput } from './command.ts'
import { withGateway } from './validate.ts'

/** `gateway token sign SUBJECT`: a token of one hour for trying things, signed with the HS secret of an issuer in the configuration. */
export function signToken(input: CommandInput): Promise<number> {
  const [subject = ''] = input.words
  const { issuer: wanted, role: roles = [], scope: scopes } = input.values
  return withGateway(input, async ({ config }) => {
    const issuer = config.auth.jwt.find(
      ({ issuer: name, secret }) => secret !== undefined && (wanted === undefined || wanted === name),
    )
    if (issuer?.secret === undefined) {
      throw new Error(
        `${input.config} has no issuer with a secret${wanted === undefined ? '' : ` named "${wanted}"`}`,
      )
    }
    if (issuer.secret === '') throw new Error(`${input.config}: the secret of ${issuer.issuer} is empty`)
    const algorithm = issuer.algorithms.find((name) => name.startsWith('HS')) ?? 'HS256'
    const token = await new SignJWT({
      [issuer.claims.roles]: roles,
      // Words in one text, as OAuth has it (RFC 8693 section 4.2).
      ...(scopes && { [issuer.claims.scopes]: scopes.join(' ') }),
    })
      .setProtectedHeader({ alg: algorithm, typ: 'JWT' })
      .setSubject(subject)
      .setIssuer(issuer.issuer)
      .setAudience(issuer.audience)
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(new TextEncoder().encode(issuer.secret))
    console.log(input.json ? JSON.stringify({ token }) : token)
    return 0
  })
}
