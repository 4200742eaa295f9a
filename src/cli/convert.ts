import { dirname, relative, resolve } from 'node:path'
import { formatProblem } from '../config/problem.ts'
import { type ConvertSource, convert, sources } from '../convert/convert.ts'
import type { CommandInput } from './command.ts'
import { readText } from './supergraph-of.ts'
import { printJson } from './terminal.ts'
import { writeWhole } from './write-whole.ts'

/** `gateway convert --from kong|apisix|openapi FILE`. Exit code 2 when something of it is not there: what, is told on standard error. */
export async function convertFile({ words: [file = ''], values, json }: CommandInput): Promise<number> {
  const { from, output } = values
  if (!sources.includes(from as ConvertSource))
    throw new Error(
      `--from says what ${file} is: ${sources.join(', ')}${from === undefined ? '' : `, not "${from}"`}`,
    )
  const reference = output === undefined ? file : relative(dirname(resolve(output)), resolve(file))
  const source = { from: from as ConvertSource, file, reference, text: readText(file) }
  const { yaml, notes } = convert(source)
  if (output !== undefined) writeWhole(output, yaml)
  if (json) printJson({ ...(output === undefined ? { yaml } : { output }), notes })
  else if (output === undefined) console.log(yaml.trimEnd())
  else console.log(`${output}: written; gateway validate ${output} checks it`)
  if (!json) for (const note of notes) console.error(formatProblem(note))
  return notes.length > 0 ? 2 : 0
}
