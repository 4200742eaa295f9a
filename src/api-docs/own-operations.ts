import type { Row } from '../core/route.ts'
import { describedPath } from './book.ts'
import type { Json } from './json.ts'
import type { Draft } from './route-operations.ts'

/** What the gateway itself answers: logins, keys, and its GraphQL endpoint. Rows that it does not know are left out. */
export function ownOperations(row: Row): Draft[] {
  const known = operations[row.id]
  if (known === undefined) return []
  const { method, ...operation } = known
  return [{ row, method, path: describedPath(row.template), operation, id: row.id.replaceAll('-', '_') }]
}

const text: Json = { type: 'string' }

function jsonOf(properties: Json, required: readonly string[] = []): Json {
  const schema = { type: 'object', properties, ...(required.length > 0 && { required }) }
  return { 'application/json': { schema } }
}

const grant: Json = {
  '200': {
    description: 'Tokens (RFC 6749 section 5.1).',
    content: jsonOf({
      access_token: text,
      token_type: text,
      expires_in: { type: 'integer', description: 'Seconds.' },
      refresh_token: text,
      scope: text,
    }),
  },
}

const refreshToken = jsonOf({ refresh_token: text }, ['refresh_token'])

const operations: Readonly<Record<string, Json & { readonly method: string }>> = {
  'auth-login': {
    method: 'post',
    tags: ['auth'],
    summary: 'Log in',
    description: 'Exchanges a name and a password for tokens.',
    requestBody: {
      required: true,
      content: jsonOf({ username: text, password: { type: 'string', format: 'password' } }, [
        'username',
        'password',
      ]),
    },
    responses: grant,
  },
  'auth-refresh': {
    method: 'post',
    tags: ['auth'],
    summary: 'Refresh tokens',
    description: 'Exchanges a refresh token for new tokens.',
    requestBody: { required: true, content: refreshToken },
    responses: grant,
  },
  'auth-logout': {
    method: 'post',
    tags: ['auth'],
    summary: 'Log out',
    description: 'Ends the login of a refresh token or a bearer token.',
    requestBody: { content: jsonOf({ refresh_token: text }) },
    responses: { '204': { description: 'Its tokens are refused from now on.' } },
  },
  'auth-jwks': {
    method: 'get',
    tags: ['auth'],
    summary: 'Public keys',
    description: 'The keys that tokens of this gateway are checked with (RFC 7517).',
    responses: {
      '200': {
        description: 'A JSON Web Key Set.',
        content: jsonOf({ keys: { type: 'array', items: { type: 'object' } } }),
      },
    },
  },
  graphql: {
    method: 'post',
    tags: ['graphql'],
    summary: 'Run a GraphQL operation',
    description: 'One graph over all subgraphs; its schema tells what can be asked.',
    requestBody: {
      required: true,
      content: jsonOf(
        {
          query: { type: 'string', description: 'The operation.' },
          operationName: { type: ['string', 'null'], description: 'Which of several.' },
          variables: { type: ['object', 'null'] },
          extensions: { type: ['object', 'null'] },
        },
        [],
      ),
    },
    responses: {
      '200': {
        description: 'Data, and errors if there are some.',
        content: jsonOf({ data: {}, errors: { type: 'array', items: { type: 'object' } } }),
      },
    },
  },
}
