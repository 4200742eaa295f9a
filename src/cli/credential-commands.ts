import { askOptions, type Command, configOption } from './command.ts'

/** Commands about keys, tokens and users. */
export const credentialCommands: readonly Command[] = [
  {
    words: ['keys', 'create'],
    takes: 'CONSUMER',
    summary: 'has a running gateway make an API key, which is shown this once',
    options: {
      ...askOptions,
      name: 'To tell keys apart.',
      scope: 'One of those of the consumer that the key has. Default: all.',
      role: 'Likewise.',
      expires: 'ISO 8601: not accepted after it.',
      env: 'Stands in the key: gwk_live_... Default: live.',
      offline: 'Asks no gateway: prints a key, and the hash that belongs into the configuration.',
    },
    examples: ['keys create acme --name web', 'keys create acme --offline'],
    run: async (input) => (await import('./keys.ts')).createKey(input),
  },
  {
    words: ['keys', 'list'],
    takes: '[CONSUMER]',
    summary: 'lists keys, with their state and when they were used last',
    options: askOptions,
    run: async (input) => (await import('./keys.ts')).listKeys(input),
  },
  {
    words: ['keys', 'rotate'],
    takes: 'ID',
    summary: 'makes another key in its place',
    options: {
      ...askOptions,
      overlap: 'How long the old one is accepted beside it. Default: 24h.',
      expires: 'ISO 8601: when the new one ends.',
    },
    examples: ['keys rotate key_0123 --overlap 1h'],
    run: async (input) => (await import('./keys.ts')).rotateKey(input),
  },
  {
    words: ['keys', 'revoke'],
    takes: 'ID',
    summary: 'ends a key: no gateway accepts it any more',
    options: askOptions,
    run: async (input) => (await import('./keys.ts')).revokeKey(input),
  },
  {
    words: ['admin', 'token'],
    takes: 'NAME',
    summary: 'makes a token for the admin API, and its hash for the configuration',
    options: { scope: 'What it may do: read, write, keys. Default: read.' },
    examples: ['admin token ops --scope read --scope write --scope keys'],
    run: async (input) => (await import('./keys.ts')).createAdminToken(input),
  },
  {
    words: ['users', 'hash'],
    summary:
      'reads a password from standard input, never from the command line, and prints the hash for auth.issuer.users',
    run: async (input) => (await import('./users.ts')).hashUserPassword(input),
  },
  {
    words: ['token', 'sign'],
    takes: 'SUBJECT',
    summary: "signs a JWT of one hour for trying things, with the configuration's own HS secret",
    options: {
      ...configOption,
      issuer: 'Which of auth.jwt. Default: the first that has a secret.',
      role: 'May be there several times.',
      scope: 'May be there several times.',
    },
    examples: ['token sign ann --role admin --config my.yaml'],
    run: async (input) => (await import('./token.ts')).signToken(input),
  },
  {
    words: ['token', 'verify'],
    takes: 'TOKEN',
    summary: 'says whom a running gateway takes it for, or why it refuses it; - reads it from standard input',
    details: ['Exit code 1 when it is refused.'],
    options: askOptions,
    run: async (input) => (await import('./revoke.ts')).verifyToken(input),
  },
  {
    words: ['token', 'revoke'],
    takes: '[TOKEN]',
    summary:
      'ends a token, a session, a user or a consumer on all gateways; - reads the token from standard input',
    options: {
      ...askOptions,
      jti: 'Instead of the token: its id.',
      sid: 'Instead: all of a session.',
      sub: 'Instead: all of a user.',
      consumer: 'Instead: all of a consumer.',
      issuer: 'Of whom, where several issuers may have the same id.',
      before: 'Those issued before it only. ISO 8601.',
      until: 'When this is forgotten. Default: as long as such tokens can live.',
      expires: 'When the token ends by itself.',
      note: 'Why, for people.',
      undo: 'All gateways accept it again.',
    },
    examples: ['token revoke --sub 42 --note "laptop stolen"', 'token revoke --sub 42 --undo'],
    run: async (input) => (await import('./revoke.ts')).revokeToken(input),
  },
]
