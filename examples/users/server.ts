import type { IncomingMessage } from 'node:http'
import type { Backend, BackendOptions } from '../backend.ts'
import { startHttpBackend } from '../http-backend.ts'
import { createJsonServer, type Handle, type Reply, readJson } from '../json-server.ts'
import { people } from '../people.ts'
import { methodNotAllowed, Problem } from '../problem.ts'
import { readTarget } from '../request-target.ts'
import { serveEcho } from './echo.ts'
import { EventStreams } from './event-stream.ts'
import { readUser, type User, type UsersVersion, writeUser } from './user-shape.ts'

const maxBodyBytes = 64 * 1024

/** Where the users backend listens and which of its two versions it is. */
export interface UsersOptions extends BackendOptions {
  /** Default 1. */
  readonly version?: UsersVersion
}

/**
 * Starts the REST backend `users-v1` or `users-v2`. Paths are those left when the gateway has stripped
 * `/v1/users`: `/` lists and creates, `/{id}` reads, `/events` streams, `/whoami` shows the headers received,
 * `/echo` is a WebSocket. Users live in memory: what is created is gone with the process.
 */
export function startUsers(options: UsersOptions = {}): Promise<Backend> {
  const version = options.version ?? 1
  const users = new Map<string, User>(people.map((person) => [person.id, person]))
  const streams = new EventStreams()

  const handle: Handle = (request, response) => {
    const { method, path } = readTarget(request)
    if (path !== '/') {
      if (method !== 'GET') throw methodNotAllowed('GET, HEAD')
      return read(request, response)
    }
    if (method === 'GET') return { body: [...users.values()].map((user) => writeUser(user, version)) }
    if (method === 'POST') return create(request)
    throw methodNotAllowed('GET, HEAD, POST')
  }

  const create = async (request: IncomingMessage): Promise<Reply> => {
    const fields = readUser(await readJson(request, maxBodyBytes), version)
    const user = { id: nextId(users), ...fields }
    users.set(user.id, user)
    // The gateway has stripped the prefix, so the public path is written out.
    const location = `/v${version}/users/${user.id}`
    return { status: 201, headers: { location }, body: writeUser(user, version) }
  }

  const read: Handle = (request, response) => {
    const { path } = readTarget(request)
    if (path === '/health') return { body: { status: 'ok' } }
    if (path === '/whoami') {
      return { body: { method: request.method, path: request.url, headers: request.headers } }
    }
    if (path === '/events') return streams.start(response, eventCount(request))
    const id = path.slice(1)
    const user = users.get(id)
    if (!user) throw new Problem(404, `There is no user ${id}.`)
    return { body: writeUser(user, version) }
  }

  const server = createJsonServer(handle, {
    shouldUpgradeCallback: (request) => readTarget(request).path === '/echo',
  })
  const closeEcho = serveEcho(server)
  const onClosing = (): void => {
    streams.endAll()
    closeEcho()
  }
  return startHttpBackend({ name: `users-v${version}`, server, onClosing }, options)
}

function eventCount(request: IncomingMessage): number {
  if (request.method === 'HEAD') return 1
  const text = readTarget(request).query.get('count')
  if (text === null) return Number.POSITIVE_INFINITY
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Problem(400, 'count must be a positive whole number.')
  return Number(text)
}

function nextId(users: ReadonlyMap<string, User>): string {
  return String(Math.max(...[...users.keys()].map(Number)) + 1)
}
