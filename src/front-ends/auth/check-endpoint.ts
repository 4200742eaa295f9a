import type { GatewayError } from '../../core/error.ts'
import type { HttpExchange } from '../../core/http-exchange.ts'
import type { Policy } from '../../core/route.ts'
import { readJsonText } from '../json-body.ts'
import { type CheckQuestion, readQuestion } from './check-question.ts'
import type { AuthEndpoint } from './front-end.ts'

/** What would become of a request, as far as identity and authorization decide. */
export interface CheckAnswer {
  readonly allowed: boolean
  /** Of the refusal; null: it would be let in. */
  readonly reason: string | null
  readonly status: number | null
  readonly message: string | null
  /** Who would serve it; null: nobody. */
  readonly route: {
    readonly id: string
    readonly protocol: string
    readonly path: string
    readonly auth: string
  } | null
  /** Who would be asking; null: nobody who is known. */
  readonly principal: {
    readonly id: string
    readonly roles: readonly string[]
    readonly scopes: readonly string[]
  } | null
  readonly checks: readonly CheckStep[]
  /** Plugins that see the request and were not asked: they may refuse it yet. */
  readonly notChecked: readonly string[]
}

/** One thing that was looked at. */
export interface CheckStep {
  readonly check: 'route' | 'identity' | 'consumers' | 'roles' | 'scopes' | 'anyScope' | 'claims'
  readonly passed: boolean
  readonly why: string
}

/** What the endpoint is made from. */
export interface CheckOptions {
  readonly path: string
  readonly policy: Policy
  /** Why the asker must not ask about others; undefined: it may. */
  mayAskAboutOthers(x: HttpExchange): GatewayError | undefined
  check(x: HttpExchange, question: CheckQuestion): Promise<CheckAnswer>
}

/** Answers whether a request would be let in. Nothing of it is executed, and nothing is counted but the question itself. */
export function checkEndpoint({ path, policy, mayAskAboutOthers, check }: CheckOptions): AuthEndpoint {
  return {
    id: policy.id,
    path,
    methods: ['POST'],
    policy,
    origin: 'auth.check',
    async serve(x) {
      const question = readQuestion(await readJsonText(x, maxBodyBytes))
      const refusal = question.caller.kind === 'self' ? undefined : mayAskAboutOthers(x)
      if (refusal !== undefined) throw refusal
      const answer = await check(x, question)
      const headers = ['Content-Type', 'application/json', 'Cache-Control', 'no-store']
      x.answer(200, headers, JSON.stringify(answer))
    },
  }
}

const maxBodyBytes = 65_536
