/**
 * What a store answers; rejects when that takes longer than `withinMs`. An answer that waits while this process was busy is still read: that
 * happens before setImmediate runs.
 */
export function answered<T>(answer: Promise<T>, withinMs: number, who = 'Redis'): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      setImmediate(() => reject(new NotAnswered(`${who} did not answer within ${withinMs} ms`)))
    }, withinMs)
    answer.then(
      (value) => {
        clearTimeout(timer)
        resolve(value)
      },
      (error: unknown) => {
        clearTimeout(timer)
        reject(error)
      },
    )
  })
}

/** A store took too long; whether it did what it was asked is not known. */
export class NotAnswered extends Error {
  override readonly name = 'NotAnswered'
}
