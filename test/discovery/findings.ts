import type { TestContext } from 'node:test'
import type { Finding, Provider } from '../../src/discovery/provider.ts'

/** What a provider tells, in order, to wait for. */
export interface Findings {
  readonly all: readonly Finding[]
  /** Resolves with the first finding that `matches`, of those that no earlier call has seen. */
  next(matches?: (finding: Finding) => boolean): Promise<Finding>
}

/** Follows a provider until the test ends. */
export function follow(t: TestContext, provider: Provider): Findings {
  const all: Finding[] = []
  let seen = 0
  let look = (): void => {}
  provider.watch((finding) => {
    all.push(finding)
    look()
  })
  t.after(() => provider.close())
  return {
    all,
    next: (matches = () => true) =>
      new Promise((resolve) => {
        look = () => {
          while (seen < all.length) {
            const finding = all[seen++] as Finding
            if (matches(finding)) {
              look = () => {}
              resolve(finding)
              return
            }
          }
        }
        look()
      }),
  }
}

/** The URLs of a finding, or what is wrong. */
export function said({ targets, trouble }: Finding): readonly string[] | string {
  return targets === undefined ? (trouble ?? '') : targets.map(({ url }) => url).sort()
}
