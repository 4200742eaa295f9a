import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { fileURLToPath } from 'node:url'

/** What a linter said of a document. */
export interface Linted {
  readonly code: number
  readonly output: string
}

/** Two linters that know nothing of each other, with all of their recommended rules but `off`; for the tests of one file. */
export function linters({
  off = { redocly: [], spectral: [] },
}: {
  readonly off?: Readonly<Record<'redocly' | 'spectral', readonly string[]>>
} = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'openapi-'))
  const redocly = join(folder, 'redocly.yaml')
  const spectral = join(folder, 'spectral.yaml')
  const rules = (names: readonly string[]) =>
    names.length === 0 ? '' : `rules:\n${names.map((name) => `  ${name}: off\n`).join('')}`
  writeFileSync(redocly, `extends: [recommended]\n${rules(off.redocly)}`)
  writeFileSync(spectral, `extends: ["spectral:oas"]\n${rules(off.spectral)}`)
  after(() => rmSync(folder, { recursive: true }))
  return async (
    name: string,
    document: object,
  ): Promise<{ readonly redocly: Linted; readonly spectral: Linted }> => {
    const file = join(folder, `${name.replace(/\W/g, '-')}.json`)
    writeFileSync(file, JSON.stringify(document))
    const [first, second] = await Promise.all([
      run(folder, 'redocly', ['lint', '--config', redocly, '--format', 'stylish', file]),
      run(folder, 'spectral', ['lint', '--ruleset', spectral, '--fail-severity', 'hint', file]),
    ])
    return { redocly: first, spectral: second }
  }
}

/** Neither needs the network; Redocly would like to count its runs and look for a newer version. */
function run(folder: string, program: string, args: readonly string[]): Promise<Linted> {
  const path = fileURLToPath(new URL(`../../node_modules/.bin/${program}`, import.meta.url))
  const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' }
  return new Promise((resolve) => {
    execFile(process.execPath, [path, ...args], { env, cwd: folder }, (error, stdout, stderr) => {
      const code = typeof error?.code === 'number' ? error.code : error === null ? 0 : -1
      resolve({ code, output: `${stdout}${stderr}` })
    })
  })
}
