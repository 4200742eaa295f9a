import { GatewayError } from '../../core/error.ts'
import type { Exchange } from '../../core/exchange.ts'
import { renderText, type TextTemplate, type Value } from '../../core/text-template.ts'
import { unfitValue } from '../../core/unfit-value.ts'

/**
 * A path with values in it. Variables of the route stand as they stood in the request's canonical path; other values are one segment or
 * a part of one. Throws INVALID_ARGUMENT for a value that is missing or could be read as more than that.
 */
export function pathText(text: TextTemplate, x: Exchange): string {
  const path = renderText(text, x, (value, part) => part.raw?.(x) ?? segmentText(value, part))
  // A variable that stands for no segment must not make `//host` of a path.
  const whole = path.includes('//') ? path.replace(/\/{2,}/g, '/') : path
  if (/\/\.{1,2}(?:\/|$)/.test(whole))
    throw new GatewayError('INVALID_ARGUMENT', 'The path would have a dot segment.')
  return whole
}

/** Text of a query or a fragment; a value that is missing is empty. */
export function queryText(text: TextTemplate, x: Exchange): string {
  return renderText(text, x, (value) => encodeURIComponent((value ?? '').toWellFormed()))
}

function segmentText(value: string | undefined, { name }: Value): string {
  if (value === undefined || value === '') throw unfitValue(name, 'is missing; the path needs it')
  // NFKC, because some backends fold: a full-width slash is a slash to them.
  const folded = value.normalize('NFKC')
  if (value.length > 256 || unsafe.test(folded) || /^\.+$/.test(folded))
    throw unfitValue(name, 'cannot stand in a path')
  return encodeURIComponent(value.toWellFormed())
}

/** Separators of paths, what decodes to them when it is decoded twice, and control characters. */
const unsafe = /[/\\%;?#]|\p{Cc}/u
