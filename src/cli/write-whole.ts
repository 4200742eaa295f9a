import { renameSync, writeFileSync } from 'node:fs'

/** Writes a file in one step: a gateway that watches it never reads half of it. */
export function writeWhole(file: string, text: string): void {
  const beside = `${file}.${process.pid}.new`
  writeFileSync(beside, text)
  renameSync(beside, file)
}
