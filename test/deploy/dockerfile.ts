/** One line of a Dockerfile, continuations joined. */
export interface Instruction {
  readonly word: string
  readonly rest: string
}

/** A Dockerfile by its stages. */
export interface Dockerfile {
  /** The instructions of each stage by its name, those of the stages that it is made from first. */
  readonly stages: ReadonlyMap<string, readonly Instruction[]>
}

export function readDockerfile(text: string): Dockerfile {
  const stages = new Map<string, Instruction[]>()
  let stage: Instruction[] = []
  const lines = text.replace(/^\s*#.*\n/gm, '').replace(/\\\n/g, ' ')
  for (const line of lines.split('\n')) {
    const [, word = '', rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(line.trim()) ?? []
    if (word === '') continue
    if (word === 'FROM') {
      const [, from = '', name = ''] = /^(\S+) AS (\S+)$/.exec(rest) ?? []
      stage = [...(stages.get(from) ?? [])]
      stages.set(name, stage)
    }
    stage.push({ word, rest })
  }
  return { stages }
}
