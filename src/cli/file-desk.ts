import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { parse } from 'yaml'
import { ConfigError } from '../config/problem.ts'
import type { Config } from '../config/schema.ts'
import { diffConfigs } from '../control/diff-config.ts'
import { editConfig } from '../control/edit-config.ts'
import { itemsOf } from '../control/item-place.ts'
import type { Desk, DeskWritten } from './desk.ts'
import { withGateway } from './validate.ts'
import { writeBeside, writeWhole } from './write-whole.ts'

/** A plain file, edited as a gateway edits its configuration: comments stay, and nothing is written that would not run. One that is not there is made. */
export function fileDesk(file: string): Desk {
  const read = (): string => (existsSync(file) ? readFileSync(file, 'utf8') : '{}\n')
  return {
    place: file,
    items: async (kind) => itemsOf(parse(read()) ?? {}, kind).map(({ id, value }) => ({ id, value })),
    async write(edits, { dryRun }): Promise<DeskWritten> {
      const before = read()
      const edited = editConfig(before, edits).text
      const config = await checked(file, edited)
      const old = await checked(file, before).catch(() => undefined)
      const changes = diffConfigs(
        { data: parse(before) ?? {}, config: old },
        { data: parse(edited) ?? {}, config },
      )
      if (!dryRun && changes.length > 0) writeWhole(file, edited)
      return { version: undefined, changes, warnings: [] }
    },
  }
}

/** Built beside the file, so that what it names is found. Throws a ConfigError with places in the edited text. */
async function checked(file: string, text: string): Promise<Config> {
  const beside = `${file}.${process.pid}.check`
  writeBeside(file, () => writeFileSync(beside, text, { mode: 0o600 }))
  try {
    let config: Config | undefined
    await withGateway({ config: beside }, async (gateway) => {
      config = gateway.config
      return 0
    })
    return config as unknown as Config
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new ConfigError(error.problems.map((problem) => ({ ...problem, file })))
  } finally {
    rmSync(beside, { force: true })
  }
}
