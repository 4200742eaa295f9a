import type { TestContext } from 'node:test'
import { createApiKey, hashApiKey } from '../../src/plugins/identity/api-key.ts'
import { startGateway, type TestGateway } from '../world.ts'

// biome-ignore lint/suspicious/noExplicitAny: a description has any shape
export type Json = any

export const key = createApiKey('test')

/** A consumer with {@link key}, and an issuer of tokens. */
export const callers = {
  consumers: [{ id: 'acme', roles: ['reader'], scopes: ['read'], keys: [{ hash: hashApiKey(key) }] }],
  auth: {
    jwt: [
      {
        issuer: 'https://issuer.example',
        audience: 'tests',
        algorithms: ['HS256'],
        secret: 'a secret of the tests that is long enough',
      },
    ],
  },
}

export const nobody = { echo: { targets: [{ url: 'http://127.0.0.1:1' }] } }

/** A gateway that is never asked but for its description. */
export async function described(
  t: TestContext,
  config: object,
): Promise<TestGateway & { readonly document: Json }> {
  const gateway = await startGateway(t, { upstreams: nobody, ...callers, ...config })
  return { ...gateway, document: await documentOf(gateway.url) }
}

export async function documentOf(url: string, headers: Record<string, string> = {}): Promise<Json> {
  const answer = await fetch(`${url}/openapi.json`, { headers })
  if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`)
  return await answer.json()
}

/** `GET /v1/users/{id}` of everything that a document describes, sorted. */
export function operationsOf({ paths }: Json): string[] {
  return Object.entries(paths as Record<string, object>)
    .flatMap(([path, item]) => Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`))
    .sort()
}
