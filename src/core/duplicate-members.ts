/** Whether an object anywhere in valid JSON has two members of one name, however its characters are escaped. */
export function hasDuplicateMembers(json: string): boolean {
  const open: Set<string>[] = []
  for (const [piece] of json.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"\s*:?|[{}]/g)) {
    if (piece === '{') open.push(new Set())
    else if (piece === '}') open.pop()
    else if (piece.endsWith(':')) {
      const name = JSON.parse(piece.slice(0, -1)) as string
      const names = open.at(-1)
      if (names?.has(name)) return true
      names?.add(name)
    }
  }
  return false
}
