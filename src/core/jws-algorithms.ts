/** Algorithms of JSON Web Signatures with a secret (RFC 7518 section 3.2). */
export const symmetricAlgorithms = ['HS256', 'HS384', 'HS512'] as const

/** Those with a key pair (RFC 7518 sections 3.3 to 3.5, RFC 8037 section 3.1, RFC 9864 section 2.2). */
export const asymmetricAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const
