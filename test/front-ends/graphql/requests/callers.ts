import { hashApiKey } from '../../../../src/plugins/identity/api-key.ts'

/** A caller with the role `developer`, and one without. */
export const developer = { 'x-api-key': 'key-of-a-developer' }
export const customer = { 'x-api-key': 'key-of-a-customer' }

export const consumers = [
  { id: 'dev', roles: ['developer'], keys: [{ hash: hashApiKey(developer['x-api-key']) }] },
  { id: 'shopper', roles: ['customer'], keys: [{ hash: hashApiKey(customer['x-api-key']) }] },
]
