import type { CommandInput } from './command.ts'
import { supergraphOf } from './supergraph-of.ts'
import { writeWhole } from './write-whole.ts'

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
