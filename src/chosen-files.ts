import { globSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** What a pattern chooses: files, and the folders where a new file or folder could change the choice; absolute. */
export interface ChosenFiles {
  /** Sorted. */
  readonly files: readonly string[]
  /** Empty for the name of one file. */
  readonly folders: readonly string[]
}

/** Looks a file or glob up, relative to `folder`. */
export function chosenFiles(pattern: string, folder: string): ChosenFiles {
  const files = globSync(pattern, { cwd: folder, withFileTypes: true })
    .filter((found) => !found.isDirectory())
    .map((found) => join(found.parentPath, found.name))
    .sort()
  const segments = pattern.split('/')
  const firstWild = segments.findIndex((segment) => /[*?[{]/.test(segment))
  if (firstWild === -1) return { files, folders: [] }
  const folders = segments.slice(firstWild).flatMap((_, index) => {
    const prefix = segments.slice(0, firstWild + index).join('/')
    if (!/[*?[{]/.test(prefix))
      return resolve(folder, prefix === '' && pattern.startsWith('/') ? '/' : prefix)
    return globSync(prefix, { cwd: folder, withFileTypes: true })
      .filter((found) => found.isDirectory())
      .map((found) => join(found.parentPath, found.name))
  })
  return { files, folders: [...new Set(folders)] }
}
