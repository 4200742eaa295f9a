import type { Backend, BackendOptions } from '../backend.ts'
import { startHttpBackend } from '../http-backend.ts'
import { createJsonServer, type Handle, readJson } from '../json-server.ts'
import { methodNotAllowed, Problem } from '../problem.ts'
import { readTarget } from '../request-target.ts'
import { initialOrders, type Order, readOrder } from './order.ts'

const maxBodyBytes = 64 * 1024

/** Where the orders backend listens and which of its instances it is. */
export interface OrdersOptions extends BackendOptions {
  /** Told in the backend's name, in `X-Instance` and in the list's `servedBy`. Default `a`. */
  readonly instance?: string
}

/**
 * Starts one instance of the REST backend `orders`, to show balancing: `/` lists and creates, `/{id}` reads.
 * `/?userIds=42,7` lists those of some users. Instances share nothing: an order created at one is unknown to the other.
 */
export function startOrders(options: OrdersOptions = {}): Promise<Backend> {
  const instance = options.instance ?? 'a'
  const orders = new Map<string, Order>(initialOrders().map((order) => [order.id, order]))

  const handle: Handle = async (request, response) => {
    response.setHeader('x-instance', instance)
    const { method, path, query } = readTarget(request)
    if (path !== '/') {
      if (method !== 'GET') throw methodNotAllowed('GET, HEAD')
      return { body: read(path.slice(1)) }
    }
    if (method === 'GET') return { body: { servedBy: instance, items: list(query.get('userIds')) } }
    if (method !== 'POST') throw methodNotAllowed('GET, HEAD, POST')
    const body = await readJson(request, maxBodyBytes)
    const order = readOrder(body, String(1001 + orders.size))
    orders.set(order.id, order)
    // The gateway has stripped the prefix, so the public path is written out.
    return { status: 201, headers: { location: `/v1/orders/${order.id}` }, body: order }
  }

  const list = (userIds: string | null): Order[] => {
    const all = [...orders.values()]
    return userIds === null ? all : all.filter(({ userId }) => userIds.split(',').includes(userId))
  }

  const read = (id: string): unknown => {
    if (id === 'health') return { status: 'ok' }
    const order = orders.get(id)
    if (!order) throw new Problem(404, `There is no order ${id}.`)
    return order
  }

  return startHttpBackend({ name: `orders-${instance}`, server: createJsonServer(handle) }, options)
}
