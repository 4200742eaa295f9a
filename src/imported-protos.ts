import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

/**
 * The `.proto` files and every place where one of their imports is or would be looked up, for watching; absolute. What is built in
 * is not among them.
 */
export function importedProtos(files: readonly string[], includeDirs: readonly string[]): readonly string[] {
  const found = new Set(files)
  // A set is walked to the end of what is added on the way.
  for (const file of found) {
    for (const name of importsOf(file)) for (const dir of includeDirs) found.add(resolve(dir, name))
  }
  return [...found]
}

function importsOf(file: string): string[] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return []
  }
  const imports = text.matchAll(/^\s*import\s+(?:public\s+|weak\s+)?["']([^"']+)["']/gm)
  return [...imports].map(([, name = '']) => name).filter((name) => !name.startsWith('google/'))
}
