import { wordHint } from './nearest-word.ts'

interface Part {
  readonly name: string
  readonly rest?: unknown
  readonly grpc?: unknown
  readonly graphql?: unknown
  readonly dependsOn: readonly string[]
  readonly optional: boolean
  readonly select: readonly string[]
  readonly as?: string | undefined
  readonly merge: boolean
}

interface Problem {
  readonly path: readonly (string | number)[]
  readonly message: string
}

/** What only shows when the parts of an aggregation are compared. */
export function aggregateProblems(aggregate: {
  readonly parts: readonly Part[]
  readonly errorsAs: string
}): Problem[] {
  const { parts, errorsAs } = aggregate
  const problems: Problem[] = []
  const names = parts.map(({ name }) => name)
  parts.forEach((part, index) => {
    const issue = (path: readonly (string | number)[], message: string): void => {
      problems.push({ path: ['parts', index, ...path], message })
    }
    if (names.indexOf(part.name) !== index) issue(['name'], `the name "${part.name}" stands twice`)
    const calls = (['rest', 'grpc', 'graphql'] as const).filter((key) => part[key] !== undefined)
    if (calls.length === 0) issue([], 'says nowhere what is called: set one of rest, grpc and graphql')
    for (const key of calls.slice(1)) issue([key], `excludes ${calls[0]}: a part is one call`)
    if (part.merge && part.as !== undefined) issue(['as'], 'excludes merge, which has no member of its own')
    part.dependsOn.forEach((name, at) => {
      const problem = dependencyProblem(part, name, parts)
      if (problem !== undefined) issue(['dependsOn', at], problem)
    })
  })
  return [...problems, ...cycles(parts), ...clashes(parts, errorsAs)]
}

function dependencyProblem(part: Part, name: string, parts: readonly Part[]): string | undefined {
  const other = parts.find((one) => one.name === name)
  if (other === undefined) {
    const names = parts.map((one) => one.name)
    return `there is no part "${name}"${wordHint(name, names)}`
  }
  if (other.optional && !part.optional)
    return `"${name}" is optional, so what depends on it must be optional too`
  return undefined
}

/** One problem for each circle, at the first part that is on it. */
function cycles(parts: readonly Part[]): Problem[] {
  const problems: Problem[] = []
  const done = new Set<string>()
  const visit = (name: string, way: readonly string[]): void => {
    if (way.includes(name)) {
      const circle = [...way.slice(way.indexOf(name)), name]
      const index = parts.findIndex((part) => circle.includes(part.name))
      const message = `the parts wait for each other: ${circle.join(' -> ')}`
      problems.push({ path: ['parts', index, 'dependsOn'], message })
    }
    if (done.has(name)) return
    done.add(name)
    for (const next of parts.find((part) => part.name === name)?.dependsOn ?? []) visit(next, [...way, name])
  }
  for (const { name } of parts) visit(name, [])
  return problems
}

/** Members of the answer that two parts would write; of merged parts as far as `select` says which they have. */
function clashes(parts: readonly Part[], errorsAs: string): Problem[] {
  const writers = new Map([[errorsAs, 'errorsAs']])
  return parts.flatMap((part, index) => {
    const keys = part.merge ? part.select.map((way) => way.split('.')[0] as string) : [part.as ?? part.name]
    const path = ['parts', index, part.merge ? 'select' : part.as === undefined ? 'name' : 'as']
    return [...new Set(keys)].flatMap((key) => {
      const other = writers.get(key)
      writers.set(key, other ?? `part "${part.name}"`)
      return other === undefined ? [] : [{ path, message: `the member "${key}" is written by ${other} too` }]
    })
  })
}
