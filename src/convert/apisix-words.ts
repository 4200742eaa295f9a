import type { Reader } from './reader.ts'

/** Whose requests are counted together, out of a variable of nginx. */
export function callerOf(config: Reader): string {
  const type = config.text('key_type') ?? 'var'
  const key = (config.text('key') ?? 'remote_addr').replace(/^\$/, '')
  if (type === 'constant') return 'route'
  if (key === 'consumer_name') return 'consumer'
  if (key === 'remote_addr' || key === 'http_x_forwarded_for' || key === 'http_x_real_ip') return 'ip'
  if (/^http_[a-z0-9_]+$/.test(key)) return `header:${key.slice('http_'.length).replaceAll('_', '-')}`
  config.note(`callers are counted by address: there is no "${key}" here`, 'key')
  return 'ip'
}

/** `headers: {set, add, remove}`, or the older `headers: {name: value}`. */
export function headerChanges(config: Reader): Record<string, unknown> {
  const headers = config.child('headers')
  if (headers === undefined) return {}
  const isSplit = headers.keys.every((key) => ['set', 'add', 'remove'].includes(key))
  if (!isSplit) return { set: texts(headers) }
  const add = headers.raw('add')
  const listed = Array.isArray(add)
    ? Object.fromEntries(
        add.map((one) => [String(one).split(':')[0] ?? '', String(one).replace(/^[^:]*:\s*/, '')]),
      )
    : undefined
  return {
    set: texts(headers.child('set')),
    add: listed ?? texts(headers.child('add')),
    remove: headers.texts('remove'),
  }
}

function texts(reader: Reader | undefined): Record<string, string> {
  return Object.fromEntries((reader?.keys ?? []).map((key) => [key, reader?.text(key) ?? '']))
}

/** `**` means all there, as the absence of the list does here. */
export function plain(items: readonly string[]): readonly string[] {
  return items.filter((item) => item !== '**')
}

/** Undefined when there are none. */
export function some(items: readonly string[]): readonly string[] | undefined {
  return items.length > 0 ? items : undefined
}
