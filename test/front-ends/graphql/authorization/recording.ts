import { createServer } from 'node:http'
import { buildSubgraphSchema } from '@apollo/subgraph'
import { graphql, parse } from 'graphql'
import type { FrontEnd } from '../../../../src/core/front-end.ts'
import type { Principal } from '../../../../src/core/principal.ts'
import type { GraphqlOptions } from '../../../../src/front-ends/graphql/graphql-options.ts'
import { plainDestination } from '../../../traffic/plain-upstream.ts'
import { authorization, frontEndOver, listen, upstreamFor } from '../harness.ts'

/** A real subgraph that remembers what it was asked. */
export interface RecordingSubgraph {
  readonly name: string
  readonly url: string
  readonly sdl: string
  /** Bodies of the requests, as they came. */
  readonly heard: string[]
  close(): Promise<void>
}

/** Federation with all that is needed to protect fields, and to weigh them. */
export const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external", "@requires", "@provides", "@shareable", "@interfaceObject", "@authenticated", "@requiresScopes", "@policy", "@cost", "@listSize"])`

export async function startRecording(
  name: string,
  { sdl, resolvers }: { readonly sdl: string; readonly resolvers: object },
): Promise<RecordingSubgraph> {
  const schema = buildSubgraphSchema({ typeDefs: parse(sdl), resolvers: resolvers as never })
  const heard: string[] = []
  const server = createServer(async (req, res) => {
    let text = ''
    for await (const chunk of req) text += chunk
    heard.push(text)
    const { query, variables } = JSON.parse(text)
    const result = await graphql({ schema, source: query, variableValues: variables })
    res.setHeader('content-type', 'application/json')
    res.end(JSON.stringify(result))
  })
  const url = `http://127.0.0.1:${await listen(server)}`
  const close = async (): Promise<void> => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return { name, url, sdl, heard, close }
}

/** A front-end over them; `authorization` may say less than everything. */
export function frontEndTo(
  subgraphs: readonly RecordingSubgraph[],
  options: Omit<Partial<GraphqlOptions>, 'authorization'> & {
    readonly authorization?: Partial<GraphqlOptions['authorization']>
  } = {},
): Promise<FrontEnd> {
  return frontEndOver([], {
    ...options,
    subgraphs: subgraphs.map(({ name, url, sdl }) => ({
      name,
      destination: plainDestination(upstreamFor(name, url)),
      path: '/graphql',
      sdl,
    })),
    authorization: { ...authorization, ...options.authorization },
  })
}

/** A caller with these scopes. */
export function caller(...scopes: string[]): Principal {
  return { id: 'u-1', roles: [], scopes, via: 'jwt' }
}
