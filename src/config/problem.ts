/** One mistake in a configuration: where it stands, and what is wrong. */
export interface Problem {
  readonly file: string
  /** From 1; 0 when the place is not known. */
  readonly line: number
  /** From 1; 0 when the place is not known. */
  readonly column: number
  /** `routes[2].upstream`; `''` for the whole document. */
  readonly path: string
  readonly message: string
}

/** A configuration that is refused, with every mistake that was found. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    super(problems.map(formatProblem).join('\n'))
    this.problems = problems
  }
}

/** `gateway.yaml:12:5: routes[0].upstream: message`. */
export function formatProblem(problem: Problem): string {
  const place = problem.line === 0 ? problem.file : `${problem.file}:${problem.line}:${problem.column}`
  return problem.path === ''
    ? `${place}: ${problem.message}`
    : `${place}: ${problem.path}: ${problem.message}`
}

/** A key's path as people write it: `routes[2].upstream`. */
export function formatPath(path: readonly PropertyKey[]): string {
  let text = ''
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`
    else text += text === '' ? String(part) : `.${String(part)}`
  }
  return text
}
