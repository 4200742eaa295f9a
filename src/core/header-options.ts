import { z } from 'zod'
import { type Change, type Direction, type HeaderChanges, headerProblem } from './header-changes.ts'
import { textProblem, type ValueName } from './text-template.ts'

/** Changes to the headers of one direction, checked as far as that is possible without their place. */
export function headerChangesSchema(direction: Direction) {
  return z.strictObject(headerChangesShape).superRefine((changes, context) => {
    for (const { path, message } of headerChangeProblems(changes, direction))
      context.addIssue({ code: 'custom', path, message })
  })
}

/** The keys of {@link headerChangesSchema}, for objects that have others too; they check them by {@link headerChangeProblems}. */
export const headerChangesShape = {
  remove: z.array(z.string()).default([]).describe('Names of headers that are taken out.'),
  rename: z.record(z.string(), z.string()).default({}).describe('From the first name to the second.'),
  set: z
    .record(z.string(), z.string())
    .default({})
    .describe('In place of what is there of the name; taken out where the text comes out empty.'),
  add: z.record(z.string(), z.string()).default({}).describe('Beside what is there of the name.'),
}

/** What is wrong with the changes, and where. */
export function headerChangeProblems(changes: HeaderChanges, direction: Direction): HeaderProblem[] {
  const problems: HeaderProblem[] = []
  const check = (change: Change, key: string | number, name: string): void => {
    const message = headerProblem(direction, change, name)
    if (message !== undefined) problems.push({ path: [change, key], message })
  }
  for (const [index, name] of changes.remove.entries()) check('remove', index, name)
  for (const [from, to] of Object.entries(changes.rename)) {
    check('rename', from, from)
    check('rename', from, to)
    // Else a client could hand in what only the gateway hands in.
    if (/^(?:authorization|x[-_]api[-_]key|cookie)$/i.test(to))
      problems.push({ path: ['rename', from], message: `"${to}" holds credentials` })
  }
  for (const change of ['set', 'add'] as const) {
    for (const [name, text] of Object.entries(changes[change])) {
      check(change, name, name)
      const message = valueProblem(text)
      if (message !== undefined) problems.push({ path: [change, name], message })
    }
  }
  return problems
}

/** Something wrong at a key of header changes. */
export interface HeaderProblem {
  readonly path: (string | number)[]
  readonly message: string
}

/** What is wrong with a header's text; undefined when nothing is. */
export function valueProblem(text: string, own?: (name: ValueName) => boolean): string | undefined {
  if (/[^\t -~]/.test(text)) return 'may have printable ASCII only'
  return textProblem(text, own)
}
