import type { GraphQLFormattedError } from 'graphql'
import { GatewayError } from '../../../core/error.ts'
import type { Principal } from '../../../core/principal.ts'
import type { Reason } from '../../../core/reason.ts'
import { extensionsFor } from '../errors.ts'
import type { FieldAuthorization } from './field-authorization.ts'
import type { Refused } from './fill-gaps.ts'

/** Who was refused, and by whom. */
export interface Caller {
  readonly principal: Principal | undefined
  readonly authorization: FieldAuthorization
  readonly challenge: Challenge
}

/** What a caller is asked for. */
export interface Asked {
  readonly scopes: readonly string[]
  /** Undefined: nobody is known. */
  readonly principal: Principal | undefined
}

/** `WWW-Authenticate` of a refusal, flat: name, value. */
export type Challenge = (reason: Reason, asked: Asked) => readonly string[]

/** The error of one field that is null because it is refused. */
export function fieldError(
  { path, field, condition }: Refused,
  { principal, authorization }: Caller,
): GraphQLFormattedError {
  const reason = authorization.reason(condition, principal)
  return { message: messageOf(reason, field), path, extensions: extensionsFor(reason) }
}

/** The refusal of a whole operation, with every field that it is refused for. Expects at least one. */
export function operationRefused(refused: readonly Refused[], caller: Caller): GatewayError {
  const { principal, authorization, challenge } = caller
  const [first = { field: '', condition: 0 }] = refused
  const reason = authorization.reason(first.condition, principal)
  const condition = authorization.condition(first.condition)
  const scopes = condition.kind === 'scopes' ? (condition.anyOf[0] ?? []) : []
  return new GatewayError(reason, messageOf(reason, first.field), {
    headers: challenge(reason, { scopes, principal }),
    violations: refused.map(({ path, field, condition }) => ({
      field: path.join('.'),
      detail: messageOf(authorization.reason(condition, principal), field),
    })),
  })
}

function messageOf(reason: Reason, field: string): string {
  if (reason === 'NO_CREDENTIALS') return `${field} is for callers who say who they are.`
  if (reason === 'SCOPE_MISSING') return `${field} needs a scope that is missing.`
  return `A policy refuses ${field}.`
}
