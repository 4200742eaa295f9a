import { claim } from '../../core/claim.ts'
import type { Exchange } from '../../core/exchange.ts'
import { within } from '../../core/mistake.ts'
import type { Principal } from '../../core/principal.ts'
import type { ClaimCondition, ClaimValue } from '../../core/route.ts'
import { compileText, isLiteral, type Place, type TextTemplate } from '../../core/text-template.ts'

/** Whether the claims of a caller fit a request. */
export type ClaimCheck = (principal: Principal, x: Exchange) => boolean

/**
 * Compiles the conditions on claims; undefined: there are none. Values are compared whole and with their type; one of the path only with
 * texts and whole numbers, and fits nothing when the path has none. Throws a Mistake for a variable that the path has not.
 */
export function compileClaimConditions(
  conditions: Readonly<Record<string, ClaimCondition>>,
  place: Place,
): ClaimCheck | undefined {
  const checks = Object.entries(conditions).map(([name, condition]) => ({
    name,
    fits: within(['claims', name], () => compileCondition(condition, place)),
  }))
  if (checks.length === 0) return undefined
  return ({ claims }, x) => {
    if (claims === undefined) return false
    for (const { name, fits } of checks) if (!fits(claim(claims, name), x)) return false
    return true
  }
}

type Fits = (found: unknown, x: Exchange) => boolean

function compileCondition(condition: ClaimCondition, place: Place): Fits {
  if (condition === '*') return isPresent
  const wanted = ([condition].flat() as ClaimValue[]).map((value) => compileValue(value, place))
  const fitsOne: Fits = (found, x) => wanted.some((fits) => fits(found, x))
  return (found, x) =>
    Array.isArray(found) ? found.some((element) => fitsOne(element, x)) : fitsOne(found, x)
}

function compileValue(value: ClaimValue, place: Place): Fits {
  const text = typeof value === 'string' ? compileText(value, place) : []
  if (isLiteral(text)) return (found) => found === value
  return (found, x) => {
    if (typeof found !== 'string' && !Number.isSafeInteger(found)) return false
    return String(found) === pathValue(text, x)
  }
}

/** Undefined when a value is missing: an empty one is no name of anything. */
function pathValue(text: TextTemplate, x: Exchange): string | undefined {
  let rendered = ''
  for (let i = 0; i < text.length; i++) {
    const part = text[i] as TextTemplate[number]
    const value = typeof part === 'string' ? part : part.read(x)
    if (value === undefined || value === '') return undefined
    rendered += value
  }
  return rendered
}

/** Nothing, an empty text and an empty list say nothing. */
function isPresent(found: unknown): boolean {
  if (found === undefined || found === null || found === '') return false
  return !Array.isArray(found) || found.length > 0
}
