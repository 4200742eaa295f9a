import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { promisify } from 'node:util'

/** Installs Hive Gateway beside its program, where that has not happened: it is large, and nothing but this benchmark needs it. */
export async function installHive(): Promise<void> {
  const folder = resolve(import.meta.dirname, 'hive')
  if (existsSync(resolve(folder, 'node_modules'))) return
  process.stderr.write('Installing Hive Gateway for the comparison.\n')
  await promisify(execFile)('npm', ['ci', '--ignore-scripts'], { cwd: folder })
}
