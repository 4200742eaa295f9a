import { rmSync } from 'node:fs'
import { ownFolder } from '../services/own-process.ts'

/** A folder that outlives the processes which write into it; removed with `resources`, and when we are ended before. */
export async function keptFolder(name: string, resources: AsyncDisposableStack): Promise<string> {
  const folder = await ownFolder(name)
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  process.once('exit', remove)
  resources.defer(() => {
    process.off('exit', remove)
    remove()
  })
  return folder
}
