/**
 * Stands in the data for a null whose error is already among the errors: what comes of it (a non-null field that is null, an entity that
 * cannot be asked for) is no second error.
 */
export const failed: unique symbol = Symbol('failed')

/** Stands for what a failed fetch would have brought, whose error is among the errors; another fetch may still bring it. */
export const unfetched: unique symbol = Symbol('unfetched')
