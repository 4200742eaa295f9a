import { SignJWT } from 'jose'

const secret = 'a secret that only these tests know of'

/** Whose tokens gateways take here, as an entry of `auth.jwt`. */
export const issuer = { issuer: 'https://id.example', audience: 'api', algorithms: ['HS256'], secret }

/** A token of that issuer for `ann`. */
export function token(claims: object = {}): Promise<string> {
  return new SignJWT({ ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(issuer.issuer)
    .setAudience(issuer.audience)
    .setSubject('ann')
    .setExpirationTime('5m')
    .sign(Buffer.from(secret))
}
