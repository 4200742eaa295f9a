import { GatewayError } from '../../../core/error.ts'

/** The refusal of an operation that costs more than `limit`; clients are told both. */
export class CostExceeded extends GatewayError {
  readonly cost: number
  readonly limit: number

  constructor(cost: number, limit: number) {
    super('GRAPHQL_LIMIT_EXCEEDED', `The operation costs ${cost}, and the limit is ${limit}.`)
    this.cost = cost
    this.limit = limit
  }
}
