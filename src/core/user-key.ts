import type { Principal } from './exchange.ts'

/**
 * One text for one user: equal subjects of two issuers are two users. Ids hold no line break (identity refuses them), so that no issuer and
 * subject can be spelled like others, or like the id of a consumer.
 */
export function userKey({ id, issuer }: Pick<Principal, 'id' | 'issuer'>): string {
  return issuer === undefined ? id : `${issuer}\n${id}`
}
