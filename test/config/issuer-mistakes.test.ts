import { type MistakeCase, testMistakes } from './points-at.ts'

const hash = '$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHApg8ArZWb2GRPPc'
const ann = `{name: ann, passwordHash: '${hash}'}`
const issuer = (keys: string): string => `auth:\n  issuer: {issuer: "https://gateway.example", ${keys}}\n`

const cases: readonly MistakeCase[] = [
  {
    name: 'nobody who could log in',
    yaml: 'auth:\n  ‸issuer: {issuer: "https://gateway.example"}\n',
    says: ['auth.issuer.users: needs users, here or in usersFile'],
  },
  {
    name: 'an issuer that is an outside one, too',
    yaml: `auth:\n  jwt: [{issuer: me, audience: a, algorithms: [ES256], jwksUri: https://id.example/jwks}]\n  issuer: {‸issuer: me, users: [${ann}]}\n`,
    says: [
      'auth.issuer.issuer: "me" stands in auth.jwt too: tokens of the gateway\'s own issuer need no entry there',
    ],
  },
  {
    name: 'times that contradict each other',
    yaml: issuer(
      `users: [${ann}], accessTokenFor: 1h, ‸refreshTokenFor: 30m, lockout: {delay: 1m, ‸maxDelay: 1s}`,
    ),
    says: [
      'auth.issuer.refreshTokenFor: must not be shorter than accessTokenFor',
      'auth.issuer.lockout.maxDelay: must not be shorter than delay',
    ],
  },
  {
    name: 'times that are too short or too long',
    yaml: issuer(
      `users: [${ann}], ‸accessTokenFor: 59s, ‸refreshTokenFor: 367d, keys: {‸rotateEvery: 1h}, lockout: {‸delay: 0s}`,
    ),
    says: [
      'auth.issuer.accessTokenFor: between 1m and 24h',
      'auth.issuer.refreshTokenFor: at most 366d',
      'auth.issuer.keys.rotateEvery: at least 24h',
      'auth.issuer.lockout.delay: more than 0s',
    ],
  },
  {
    name: 'a password in clear',
    yaml: issuer('users: [{name: ann, ‸passwordHash: hunter2}]'),
    says: [
      'auth.issuer.users[0].passwordHash: must be a hash in PHC format, $scrypt$ln=17,r=8,p=1$... or $argon2id$v=19$m=...; `gateway users hash` prints one',
    ],
  },
  {
    name: 'a user that cannot be told from another',
    yaml: issuer(`users: [${ann}, {‸name: ＡＮＮ, passwordHash: ''}]`),
    says: ['auth.issuer.users[1].name: "ＡＮＮ" stands twice: names are compared without regard to case'],
  },
  {
    name: 'an id that two users have',
    yaml: issuer(`users: [${ann}, {name: bob, ‸id: ann, passwordHash: ''}]`),
    says: ['auth.issuer.users[1].id: the id "ann" stands twice'],
  },
  {
    name: 'a scope of two words, and a role with a line break',
    yaml: issuer(`users: [{name: ann, passwordHash: '', scopes: [‸"read write"], roles: [‸"a\\nb"]}]`),
    says: [
      'auth.issuer.users[0].scopes[0]: a scope has printable ASCII characters, no blank, no quote',
      'auth.issuer.users[0].roles[0]: expected no control characters',
    ],
  },
  {
    name: 'an id that does not fit into a header',
    yaml: issuer(`users: [{‸name: ${'ö'.repeat(60)}, passwordHash: ''}]`),
    says: [`auth.issuer.users[0].name: "${'ö'.repeat(60)}" cannot be passed on as a header: it is too long`],
  },
  {
    name: 'a misspelt key',
    yaml: issuer(`users: [{name: ann, ‸password: hunter2, passwordHash: ''}]`),
    says: ['auth.issuer.users[0].password: unknown key "password"; did you mean "passwordHash"?'],
  },
  {
    name: 'two endpoints at one path',
    yaml: issuer(`users: [${ann}], ‸paths: {login: /auth, refresh: /auth}`),
    says: [
      'auth.issuer.paths: "/auth" (POST) of auth.issuer.paths.refresh clashes with "/auth" of auth.issuer.paths.login',
    ],
  },
  {
    name: 'a file of users that is not there',
    yaml: issuer('‸usersFile: nowhere.yaml'),
    says: [
      "auth.issuer.usersFile: cannot be read: ENOENT: no such file or directory, open 'FOLDER/nowhere.yaml'",
    ],
  },
  {
    name: 'a file of users that is no list',
    yaml: issuer('‸usersFile: ann.yaml'),
    says: ['auth.issuer.usersFile: ann.yaml Invalid input: expected array, received object'],
  },
  {
    name: 'a mistake in a file of users',
    yaml: issuer('‸usersFile: broken.yaml'),
    says: [
      'auth.issuer.usersFile: broken.yaml [1].passwordHash: is too weak: scrypt needs ln=14,r=8,p=1 at least',
    ],
  },
  {
    name: 'a key in a file of users that there is not',
    yaml: issuer('‸usersFile: unknown.yaml'),
    says: ['auth.issuer.usersFile: unknown.yaml [0] Unrecognized key: "rolls"'],
  },
]

testMistakes(cases, {
  'ann.yaml': ann,
  'broken.yaml': `- ${ann}\n- {name: bob, passwordHash: '${hash.replace('ln=14', 'ln=10')}'}\n`,
  'unknown.yaml': "- {name: ann, passwordHash: '', rolls: [admin]}\n",
})
