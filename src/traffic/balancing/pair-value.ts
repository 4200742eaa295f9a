/**
 * The value of the first `name=value` in a list of such pairs, as it is written; undefined when there is none. Blanks before a
 * name are skipped. Looks at each character once and copies only what it returns.
 */
export function pairValue(list: string, name: string, separator: '&' | ';'): string | undefined {
  let start = 0
  while (start < list.length) {
    if (list.charCodeAt(start) === 0x20) {
      start++
      continue
    }
    const end = list.indexOf(separator, start)
    const equals = start + name.length
    if (list.startsWith(name, start) && list.charCodeAt(equals) === 0x3d) {
      return list.slice(equals + 1, end === -1 ? undefined : end)
    }
    if (end === -1) return undefined
    start = end + 1
  }
  return undefined
}
