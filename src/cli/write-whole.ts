import { renameSync, rmSync, writeFileSync } from 'node:fs'

/** Writes a file in one step: a gateway that watches it never reads half of it. Throws an Error that names the file. */
export function writeWhole(file: string, text: string): void {
  const beside = `${file}.${process.pid}.new`
  try {
    writeBeside(file, () => {
      writeFileSync(beside, text)
      renameSync(beside, file)
    })
  } finally {
    rmSync(beside, { force: true })
  }
}

/** Does what writes into the folder of a file. Throws an Error that names the file, and not what was to stand beside it. */
export function writeBeside(file: string, write: () => void): void {
  try {
    write()
  } catch (error) {
    throw new Error(`${file} cannot be written: ${whyNot(error)}`, { cause: error })
  }
}

function whyNot(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return (code !== undefined && whys[code]) || message
}

const whys: Readonly<Record<string, string>> = {
  ENOENT: 'its folder is not there',
  ENOTDIR: 'its folder is a file',
  EISDIR: 'it is a folder',
  EACCES: 'it or its folder is not ours to write',
  EROFS: 'it is on a file system that is read only',
  ENOSPC: 'the disk is full',
}
