import { renameSync, writeFileSync } from 'node:fs'
import type { CommandInput } from './command.ts'
import { supergraphOf } from './supergraph-of.ts'

/** `gateway graphql compose`: prints the supergraph, or writes it; hints go to standard error. */
export async function composeGraphql(input: CommandInput): Promise<number> {
  const { supergraphSdl, hints } = await supergraphOf(input, input.words)
  const { output } = input.values
  const supergraph = supergraphSdl.endsWith('\n') ? supergraphSdl : `${supergraphSdl}\n`
  if (output !== undefined) writeWhole(output, supergraph)
  if (input.json) {
    const told = output === undefined ? { supergraph } : { output }
    console.log(JSON.stringify({ ...told, hints }, null, 2))
    return 0
  }
  for (const hint of hints) console.error(`hint: ${hint}`)
  if (output === undefined) process.stdout.write(supergraph)
  else console.log(`${output}: written, ${Buffer.byteLength(supergraph)} bytes`)
  return 0
}

/** In one step: a gateway that watches the file never reads half of it. */
function writeWhole(file: string, text: string): void {
  const beside = `${file}.${process.pid}.new`
  writeFileSync(beside, text)
  renameSync(beside, file)
}
