import type { Build } from './build.ts'
import { chosenFiles } from './chosen-files.ts'

/** The files of a list of patterns that stands at a path of the configuration, each once; they and what could join them are watched. Throws a ConfigError. */
export function watchedFiles(
  build: Build,
  patterns: readonly string[],
  path: readonly PropertyKey[],
): readonly string[] {
  const files = patterns.flatMap((pattern, index) => {
    const { files, folders } = chosenFiles(pattern, build.folder)
    for (const folder of folders) build.seeNames(folder)
    for (const file of files) build.see(file)
    if (files.length > 0) return files
    if (folders.length === 0) build.see(pattern)
    throw build.error([...path, index], `no file matches "${pattern}"`)
  })
  return [...new Set(files)]
}
