import type { HttpExchange } from '../../../core/http-exchange.ts'
import { isJsonObject } from '../../../core/json-value.ts'
import { within } from '../../../core/mistake.ts'
import type { Place } from '../../../core/text-template.ts'
import { beginComposition } from './begin-composition.ts'
import { compilePart, type PartOptions } from './compile-part.ts'
import { answerComposed, shownError } from './composed-answer.ts'
import { ComposedPlace } from './composition.ts'
import { type PartOutcome, PartsRun } from './run-parts.ts'

/** One JSON object out of several calls. */
export interface AggregateOptions {
  /** Checked: names are unique, none waits for itself, and what a required one waits for is required. */
  readonly parts: readonly PartOptions[]
  /** Of one part. */
  readonly maxAnswerBytes: number
  /** The member that lists what failed. */
  readonly errorsAs: string
  /** For the whole. */
  readonly timeoutMs: number
  /** Of the request. */
  readonly maxBodyBytes: number
}

/** Compiles an aggregation of a route with these methods. Throws a Mistake. */
export function compileAggregate(
  options: AggregateOptions,
  route: { readonly place: Place; readonly methods: readonly string[] },
): (x: HttpExchange) => Promise<void> {
  const { errorsAs, timeoutMs, maxAnswerBytes, maxBodyBytes } = options
  const places: ComposedPlace[] = []
  const parts = options.parts.map((part, index) =>
    within(['parts', index], () => {
      const place = new ComposedPlace(route.place, awaitedBy(part, options.parts))
      places.push(place)
      return compilePart(part, { place, methods: route.methods })
    }),
  )
  const namesBody = places.some((place) => place.namesBody)
  const members = new Set([errorsAs, ...parts.flatMap(({ as }) => as ?? [])])
  return async (x) => {
    const deadlineAt = performance.now() + timeoutMs
    const composition = await beginComposition(x, { namesBody, maxBodyBytes })
    const outcomes = await new PartsRun(x, { parts, composition, deadlineAt, maxAnswerBytes }).all()
    if (x.gone) return
    const answer = merged(outcomes, members)
    const failed = outcomes.filter(({ error }) => error !== undefined)
    if (failed.length > 0) {
      x.attributes['gateway.parts.failed'] = failed
        .map(({ part, error }) => `${part.name}: ${error?.reason}`)
        .join(', ')
      answer[errorsAs] = failed.flatMap(({ part, error }) =>
        error === undefined ? [] : shownError(error, { part: part.name }),
      )
    }
    answerComposed(x, answer, { status: 200, completed: failed.length === 0 })
  }
}

/** Whose answers are there when a part begins: those that it waits for, and those that they wait for. */
function awaitedBy({ dependsOn }: PartOptions, parts: readonly PartOptions[]): ReadonlySet<string> {
  const awaited = new Set(dependsOn)
  for (const name of awaited)
    for (const next of parts.find((part) => part.name === name)?.dependsOn ?? []) awaited.add(next)
  return awaited
}

/**
 * The members in the order of the parts. Members that parts have by name are theirs; of those that come by merging the first of a name
 * counts, so that it is the same whichever part was faster.
 */
function merged(outcomes: readonly PartOutcome[], members: ReadonlySet<string>): Record<string, unknown> {
  // Without a prototype, so that a member named __proto__ is one like any other.
  const answer: Record<string, unknown> = Object.create(null)
  for (const { part, value } of outcomes) {
    if (value === undefined) continue
    if (part.as !== undefined) answer[part.as] = value
    else if (isJsonObject(value)) mergeInto(answer, value, members)
  }
  return answer
}

function mergeInto(
  answer: Record<string, unknown>,
  value: Readonly<Record<string, unknown>>,
  members: ReadonlySet<string>,
): void {
  for (const [key, member] of Object.entries(value)) {
    if (!members.has(key) && !Object.hasOwn(answer, key)) answer[key] = member
  }
}
