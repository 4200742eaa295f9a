import type { CallLimits } from '../../../../core/call-limits.ts'
import { clientGone } from '../../../../core/error.ts'
import type { OperationContext } from '../../operation.ts'
import type { BackendAnswer } from './resolver.ts'
import { type Origin, originSlot } from './resolver-place.ts'
import type { ServiceCall } from './service-call.ts'

/** The calls of one fetch: those that are alike are made once, and those for many objects together. */
export class ServiceRun {
  readonly context: OperationContext
  readonly #limits: CallLimits
  readonly #values = new Map<ServiceCall, Map<string, Promise<unknown>>>()
  readonly #batches = new Map<ServiceCall, Map<string, Batch>>()

  constructor(context: OperationContext) {
    this.context = context
    this.#limits = context.limits ?? unlimited
  }

  /** What a call is answered for one object (none: a field of the roots). Rejects with a ServiceRefusal or a GatewayError. */
  load(call: ServiceCall, args: Origin['args'], object?: unknown): Promise<unknown> {
    const origin: Origin = { args, objects: object === undefined ? [] : [object] }
    if (!call.isShared) return this.#one(call, origin)
    let values = this.#values.get(call)
    if (values === undefined) {
      values = new Map()
      this.#values.set(call, values)
    }
    const group = call.groupOf(origin)
    const key = call.isBatch ? `${group} ${call.memberOf(object)}` : group
    let value = values.get(key)
    if (value === undefined) {
      value = call.isBatch ? this.#inBatch(call, group, origin) : this.#one(call, origin)
      values.set(key, value)
    }
    return value
  }

  async #one(call: ServiceCall, origin: Origin): Promise<unknown> {
    return call.valueOf(await this.#send(call, origin))
  }

  #inBatch(call: ServiceCall, group: string, { args, objects: [object] }: Origin): Promise<unknown> {
    let batches = this.#batches.get(call)
    if (batches === undefined) {
      batches = new Map()
      this.#batches.set(call, batches)
    }
    let batch = batches.get(group)
    if (batch === undefined || batch.objects.length >= call.batchSize) {
      batch = this.#begin(call, args, () => batches.delete(group))
      batches.set(group, batch)
    }
    const at = batch.objects.push(object) - 1
    return batch.values.then((values) => {
      const value = values[at]
      if (value instanceof Error) throw value
      return value
    })
  }

  /** The batch goes out when everything that is ready now has asked. */
  #begin(call: ServiceCall, args: Origin['args'], close: () => void): Batch {
    const objects: unknown[] = []
    const values = new Promise<void>((resolve) => {
      // After the promises that are settled by now: their resolvers ask for more objects of the same kind.
      void Promise.resolve().then(() => process.nextTick(resolve))
    }).then(async () => {
      close()
      return call.valuesOf(await this.#send(call, { args, objects }), objects)
    })
    return { objects, values }
  }

  #send(call: ServiceCall, origin: Origin): Promise<BackendAnswer> {
    const { x } = this.context
    if (x.gone) throw x.stopped ?? clientGone()
    x.set(originSlot, origin)
    return call.send(x, this.#limits)
  }
}

/** Objects that one call is made for, and what it says of each: a value, or an Error. */
interface Batch {
  readonly objects: unknown[]
  readonly values: Promise<readonly unknown[]>
}

/** Of what a query asks for; upstreams have limits of their own. */
const unlimited: CallLimits = { deadlineAt: Number.POSITIVE_INFINITY, maxAnswerBytes: 16 * 1_048_576 }
