import { createHmac, createPublicKey } from 'node:crypto'
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'

/** A token that must not pass, or a way to send a good one that must not. */
export interface TokenAttack {
  readonly name: string
  /** Where it is written that it must fail. */
  readonly rule: string
  /** The value of `Authorization`. `evilUri` is the address of a key set of the attacker's. */
  authorization(evilUri: string): string | Promise<string>
}

const audience = 'api'
const company = 'https://id.example'
const partner = 'https://partner.example'
const house = 'https://house.example'
const secret = 'a secret that has thirty-two bytes and more'
const rsa = await generateKeyPair('RS256', { extractable: true })
const ec = await generateKeyPair('ES256', { extractable: true })
const partnerKey = await generateKeyPair('RS256', { extractable: true })
const evil = await generateKeyPair('RS256', { extractable: true })
const rsaJwk: JWK = { ...(await exportJWK(rsa.publicKey)), kid: 'rsa-1' }
const ecJwk: JWK = { ...(await exportJWK(ec.publicKey)), kid: 'ec-1' }
const decryptionJwk: JWK = { ...(await exportJWK(evil.publicKey)), kid: 'enc-1', use: 'enc' }
const partnerJwk: JWK = { ...(await exportJWK(partnerKey.publicKey)), kid: 'partner-1' }

/** The attacker's own key set, which nobody may ever fetch. */
export const evilKeys: JWK[] = [{ ...(await exportJWK(evil.publicKey)), kid: 'evil-1' }]

/** Three issuers, in the words of `auth.jwt`: two with key sets, one with a secret. */
export const attackedIssuers = [
  {
    issuer: company,
    audience,
    algorithms: ['RS256', 'ES256'],
    jwks: JSON.stringify({ keys: [rsaJwk, ecJwk, decryptionJwk] }),
  },
  { issuer: partner, audience, algorithms: ['RS256'], jwks: JSON.stringify({ keys: [partnerJwk] }) },
  { issuer: house, audience, algorithms: ['HS256'], secret },
]

const seconds = (): number => Math.floor(Date.now() / 1_000)
const ofCompany = () => ({ iss: company, aud: audience, sub: 'ann', exp: seconds() + 300 })
const ofHouse = () => ({ ...ofCompany(), iss: house })

/** A genuine token of the issuer with the RSA key, with more claims and header parameters. */
export function genuine(claims: object = {}, header: object = {}, key = rsa.privateKey): Promise<string> {
  return new SignJWT({ ...ofCompany(), ...claims })
    .setProtectedHeader({ alg: 'RS256', kid: 'rsa-1', ...header })
    .sign(key)
}

/** The same subject at another issuer. */
export function genuineOfPartner(): Promise<string> {
  return genuine({ iss: partner }, { kid: 'partner-1' }, partnerKey.privateKey)
}

/** A token of the issuer with the secret, from header and payload as they are, also where they are no JSON. */
export function byHand(
  payload: object | string,
  header: object | string = { alg: 'HS256' },
  key: string | Buffer = secret,
): string {
  const input = `${b64(header)}.${b64(payload)}`
  return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`
}

function b64(value: object | string): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
}

const pem = createPublicKey({ key: { ...rsaJwk }, format: 'jwk' }).export({ type: 'spki', format: 'pem' })
const der = createPublicKey({ key: { ...rsaJwk }, format: 'jwk' }).export({ type: 'spki', format: 'der' })

/** Claims of the house as text, in which a test can write what JSON.stringify would not. */
const houseText = (more: string): string => `${JSON.stringify(ofHouse()).slice(0, -1)},${more}}`

type Row = readonly [name: string, rule: string, token: (evilUri: string) => string | Promise<string>]

const spelledNone = ['none', 'None', 'NONE', 'nOnE', ' none', 'none\u0000', '']
const confusedKeys: readonly (readonly [string, string | Buffer])[] = [
  ['as PEM', pem],
  ['as PEM without its line break', pem.toString().trim()],
  ['as DER', der],
  ['as JWK', JSON.stringify(rsaJwk)],
  ['its modulus', Buffer.from(rsaJwk.n ?? '', 'base64url')],
  ['an empty secret', ''],
]
const keyIds: readonly (readonly [string, unknown])[] = [
  ['a path', '../../../../../../dev/null'],
  ['SQL', "rsa-1' UNION SELECT 'x"],
  ['a command', 'rsa-1; cat /etc/passwd |'],
  ['an address', 'http://127.0.0.1:9/rsa-1'],
  ['4,000 characters', 'rsa-1'.repeat(800)],
  ['__proto__', '__proto__'],
  ['a key that is there for encryption', 'enc-1'],
  ['the key of another issuer', 'partner-1'],
]
const dates: readonly (readonly [string, string])[] = [
  ['as text', '"9999999999"'],
  ['null', 'null'],
  ['true', 'true'],
  ['a list', '[9999999999]'],
  ['negative', '-9999999999'],
  ['infinite', '1e999'],
  ['after the year 9999', '253402300800'],
  ['in milliseconds', '9999999999000'],
]

const rows: readonly Row[] = [
  ...spelledNone.flatMap((alg): Row[] => [
    [`alg "${alg}" without a signature`, 'RFC 8725 3.1, 3.2', () => `${b64({ alg })}.${b64(ofCompany())}.`],
    [
      `alg "${alg}" with a signature`,
      'RFC 8725 3.1, 3.2',
      () => `${b64({ alg })}.${b64(ofCompany())}.${b64('x')}`,
    ],
  ]),
  ...confusedKeys.map(
    ([name, key]): Row => [
      `HS256 by the public RSA key: ${name}`,
      'RFC 8725 3.1',
      () => byHand(ofCompany(), { alg: 'HS256', kid: 'rsa-1' }, key),
    ],
  ),
  ['RS256 for the issuer with a secret', 'RFC 8725 3.1', () => genuine({ iss: house })],
  ['ES256 under the id of the RSA key', 'RFC 8725 3.1', () => ecSigned({ kid: 'rsa-1' })],
  [
    'a signature of ES256 that is all zeros (CVE-2022-21449)',
    'FIPS 186-5 6.4.2',
    () =>
      `${b64({ alg: 'ES256', kid: 'ec-1' })}.${b64(ofCompany())}.${Buffer.alloc(64).toString('base64url')}`,
  ],
  ['an alg that is no text', 'RFC 7515 4.1.1', () => byHand(ofHouse(), { alg: ['HS256'] })],
  ['no alg', 'RFC 7515 4.1.1', () => byHand(ofHouse(), { typ: 'JWT' })],
  ...(['jku', 'x5u'] as const).map(
    (name): Row => [
      `the attacker's key set in ${name}`,
      'RFC 8725 3.10',
      (uri) => evilSigned({ [name]: uri, kid: 'evil-1' }),
    ],
  ),
  ["the attacker's key in jwk", 'RFC 8725 3.10', () => evilSigned({ jwk: evilKeys[0] })],
  [
    "the attacker's key in jwk under a known id",
    'RFC 8725 3.10',
    () => evilSigned({ jwk: evilKeys[0], kid: 'rsa-1' }),
  ],
  ["the attacker's certificate in x5c", 'RFC 8725 3.10', () => evilSigned({ x5c: ['MIIB'], kid: 'evil-1' })],
  ...keyIds.map(
    ([name, kid]): Row => [`kid: ${name}`, 'RFC 8725 3.10', () => evilSigned({ kid: kid as string })],
  ),
  [
    'kid: a number',
    'RFC 7515 4.1.4',
    () => `${b64({ alg: 'RS256', kid: 1 })}.${b64(ofCompany())}.${b64('x')}`,
  ],
  ['an unknown crit', 'RFC 7515 4.1.11', () => byHand(ofHouse(), { alg: 'HS256', crit: ['x'], x: 1 })],
  ['an empty crit', 'RFC 7515 4.1.11', () => byHand(ofHouse(), { alg: 'HS256', crit: [] })],
  ['b64 false with crit', 'RFC 7797 3', () => byHand(ofHouse(), { alg: 'HS256', b64: false, crit: ['b64'] })],
  ['b64 false without crit', 'RFC 7797 6', () => byHand(ofHouse(), { alg: 'HS256', b64: false })],
  ['padding', 'RFC 7515 2', async () => `${await genuine()}==`],
  ['padding of the header', 'RFC 7515 2', async () => (await genuine()).replace('.', '=.')],
  ['the alphabet of base64', 'RFC 7515 2', () => standardAlphabet()],
  ['blanks inside', 'RFC 7515 2', async () => (await genuine()).replace('.', ' .')],
  ['bits that mean nothing', 'RFC 4648 3.5', () => nextLetter(byHand(ofHouse()))],
  ['a member twice in the header', 'RFC 7515 4', () => byHand(ofHouse(), '{"alg":"none","alg":"HS256"}')],
  ['a member twice in the payload', 'RFC 7519 4', () => byHand(houseText('"sub":"root"'))],
  ['a member twice, once escaped', 'RFC 7519 4', () => byHand(houseText('"s\\u0075b":"root"'))],
  ['a member twice inside', 'RFC 7519 4', () => byHand(houseText('"a":[{"b":{"c":1,"d":"}","c":2}}]'))],
  ['a byte order mark', 'RFC 8259 8.1', () => byHand(`\ufeff${JSON.stringify(ofHouse())}`)],
  ['invalid UTF-8', 'RFC 7519 7.2', () => invalidUtf8()],
  ['something after the JSON', 'RFC 7519 7.2', () => byHand(`${JSON.stringify(ofHouse())}{}`)],
  ['a payload that is a list', 'RFC 7519 7.2', () => byHand([ofHouse()])],
  ['a token in a token', 'RFC 7519 5.2', async () => byHand(await genuine(), { alg: 'HS256', cty: 'JWT' })],
  ['JWE in five parts', 'RFC 7516 7.1', () => 'e30.e30.e30.e30.e30'],
  ['JSON serialization', 'RFC 7519 1', () => JSON.stringify({ payload: b64(ofHouse()), signatures: [] })],
  ['more than 8,192 bytes', 'RFC 8725 2', () => byHand({ ...ofHouse(), filler: 'x'.repeat(6_200) })],
  ...(['exp', 'nbf', 'iat'] as const).flatMap((claim) =>
    dates.map(
      ([name, value]): Row => [
        `${claim} ${name}`,
        'RFC 7519 2',
        () => byHand(JSON.stringify({ ...ofHouse(), [claim]: 'HERE' }).replace('"HERE"', value)),
      ],
    ),
  ),
  ['no exp', 'RFC 8725 3', () => genuine({ exp: undefined })],
  ['nbf after the skew', 'RFC 7519 4.1.5', () => genuine({ nbf: seconds() + 60 })],
  ['iat after the skew', 'RFC 7519 4.1.6', () => genuine({ iat: seconds() + 60 })],
  ['no aud', 'RFC 8725 3.9', () => genuine({ aud: undefined })],
  ['a list of other aud', 'RFC 8725 3.9', () => genuine({ aud: ['a', 'apix', 'API'] })],
  ['a list in a list of aud', 'RFC 7519 4.1.3', () => genuine({ aud: [[audience]] })],
  ['aud an object', 'RFC 7519 4.1.3', () => genuine({ aud: { api: audience } })],
  ['another issuer, with our key', 'RFC 8725 3.8', () => genuine({ iss: 'https://evil.example' })],
  ['one issuer by the key of another', 'RFC 8725 3.8', () => genuine({ iss: partner })],
  [
    'one issuer by the key and key id of another',
    'RFC 8725 3.8',
    () => genuine({}, { kid: 'partner-1' }, partnerKey.privateKey),
  ],
  ['a list of issuers', 'RFC 7519 4.1.1', () => genuine({ iss: [company] })],
  ['an issuer in other case', 'RFC 7519 4.1.1', () => genuine({ iss: company.toUpperCase() })],
  ['a sub that is a number', 'RFC 7519 4.1.2', () => genuine({ sub: 1 })],
  ['a sub with a line break', 'RFC 9110 5.5', () => genuine({ sub: 'ann\r\nx-user-role: admin' })],
]

/** Good tokens, sent in ways that are no `Authorization: Bearer <token>`. */
const spellings: readonly (readonly [string, (token: string) => string])[] = [
  ['Bearer twice', (token) => `Bearer Bearer ${token}`],
  ['two tokens after a comma', (token) => `Bearer ${token}, Bearer ${token}`],
  ['two tokens after a blank', (token) => `Bearer ${token} ${token}`],
  ['a tab after Bearer', (token) => `Bearer\t${token}`],
  ['a colon after Bearer', (token) => `Bearer: ${token}`],
  ['a comma after Bearer', (token) => `Bearer,${token}`],
  ['an equals sign after Bearer', (token) => `Bearer =${token}`],
  ['quotes', (token) => `Bearer "${token}"`],
  ['a parameter', (token) => `Bearer token=${token}`],
  ['nothing after Bearer', () => 'Bearer'],
  ['a no-break space', (token) => `Bearer \u00a0${token}`],
]

/** Every one of these is refused with JWT_INVALID, also where a token is optional. */
export const tokenAttacks: readonly TokenAttack[] = [
  ...rows.map(
    ([name, rule, token]): TokenAttack => ({
      name,
      rule,
      authorization: async (evilUri) => `Bearer ${await token(evilUri)}`,
    }),
  ),
  ...spellings.map(
    ([name, spell]): TokenAttack => ({
      name,
      rule: 'RFC 6750 2.1',
      authorization: async () => spell(await genuine()),
    }),
  ),
]

function evilSigned(header: object): Promise<string> {
  return genuine({}, { kid: undefined, ...header }, evil.privateKey)
}

function ecSigned(header: object): Promise<string> {
  return genuine({}, { alg: 'ES256', kid: 'ec-1', ...header }, ec.privateKey)
}

/** Signed as it is written, so that only the alphabet can be what is wrong. */
function standardAlphabet(): string {
  const header = Buffer.from('{"alg":"HS256","x":"???>>>~~"}').toString('base64')
  const input = `${header}.${b64(ofHouse())}`
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}

/** 32 bytes leave two unused bits in the 43rd letter of their base64url. */
function nextLetter(token: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return token.slice(0, -1) + alphabet.charAt(alphabet.indexOf(token.slice(-1)) + 1)
}

function invalidUtf8(): string {
  const payload = Buffer.from(JSON.stringify({ ...ofHouse(), x: 'HERE' })).toString('latin1')
  const input = `${b64({ alg: 'HS256' })}.${Buffer.from(payload.replace('HERE', '\xff'), 'latin1').toString('base64url')}`
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}
