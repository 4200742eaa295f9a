import { valueAt } from '../json-pointer.ts'
import { type FieldError, invalidFields } from '../problem.ts'

/** One product of an order; `upc` is that of the products subgraph, `price` is for one piece. */
export interface OrderItem {
  readonly upc: string
  readonly quantity: number
  readonly price: number
}

/** An order as the service answers it; `userId` is that of the users service. */
export interface Order {
  readonly id: string
  readonly userId: string
  readonly total: number
  readonly currency: string
  readonly items: readonly OrderItem[]
}

/** The orders that every instance starts with. */
export function initialOrders(): Order[] {
  return [
    order({
      id: '1001',
      userId: '42',
      items: [
        { upc: '1', quantity: 1, price: 39.9 },
        { upc: '2', quantity: 2, price: 10 },
      ],
    }),
    order({
      id: '1002',
      userId: '7',
      items: [
        { upc: '4', quantity: 1, price: 189 },
        { upc: '5', quantity: 2, price: 129 },
      ],
    }),
    order({ id: '1003', userId: '42', items: [{ upc: '6', quantity: 3, price: 4.5 }] }),
  ]
}

/** Reads `{"userId","items":[{"upc","quantity","price"}]}`. Throws a 422 `Problem` naming each bad field. */
export function readOrder(body: unknown, id: string): Order {
  const errors: FieldError[] = []
  const textAt = (pointer: string): string => {
    const value = valueAt(body, pointer)
    if (typeof value === 'string' && value !== '' && value.length <= 64) return value
    errors.push({ pointer, detail: 'must be a text of 1 to 64 characters' })
    return ''
  }
  const numberAt = (pointer: string, { min, max }: { min: number; max: number }): number => {
    const value = valueAt(body, pointer)
    if (typeof value === 'number' && value >= min && value <= max) return value
    errors.push({ pointer, detail: `must be a number from ${min} to ${max}` })
    return min
  }
  const userId = textAt('/userId')
  const rows = valueAt(body, '/items')
  const count = Array.isArray(rows) ? rows.length : 0
  if (count < 1 || count > 100) {
    throw invalidFields([...errors, { pointer: '/items', detail: 'must be a list of 1 to 100 items' }])
  }
  const items = Array.from({ length: count }, (_, index) => ({
    upc: textAt(`/items/${index}/upc`),
    quantity: numberAt(`/items/${index}/quantity`, { min: 1, max: 1_000 }),
    price: numberAt(`/items/${index}/price`, { min: 0, max: 1_000_000 }),
  }))
  if (errors.length > 0) throw invalidFields(errors)
  return order({ id, userId, items })
}

function order({ id, userId, items }: Pick<Order, 'id' | 'userId' | 'items'>): Order {
  const sum = items.reduce((total, { quantity, price }) => total + quantity * price, 0)
  return { id, userId, total: Math.round(sum * 100) / 100, currency: 'EUR', items }
}
