import { z } from 'zod'
import { GatewayError } from '../core/error.ts'
import { type AdminAnswer, type AdminRoute, adminRoute } from './admin-route.ts'
import { changeOf, dryAnswer } from './dry-answer.ts'
import { pageAnswer, pageOf, pageOfSchema, pageQuery } from './page.ts'

/** What moves a release by hand; each is false when the release is not where it can be done. */
export interface SteerableRelease {
  promote(): boolean
  pause(): boolean
  resume(): boolean
  abort(): boolean
  status(): ReleaseView
}

/** A release as its own wing tells it. */
export interface ReleaseView {
  readonly place: string
  readonly phase: 'progressing' | 'paused' | 'rolledBack' | 'aborted'
  readonly step: number
  readonly steps: number
  readonly weight: number
  readonly since: number
  readonly reason: string | undefined
  readonly stable: TrackView
  readonly canary: TrackView
}

interface TrackView {
  readonly requests: number
  readonly failures: number
  readonly errorRate: number
  readonly p95Ms: number | undefined
}

const trackShape = z.strictObject({
  requests: z.int().describe('Since the step began.'),
  failures: z.int(),
  errorRate: z.number().describe('Of the latest calls, from 0 to 1.'),
  p95Ms: z.number().nullable().describe('Of the latest calls; null: there are too few.'),
})

const canaryShape = z
  .strictObject({
    id: z
      .string()
      .describe('Where it stands: `users`, `graphql/accounts`, `grpc/library.v1.LibraryService`.'),
    phase: z.enum(['progressing', 'paused', 'rolledBack', 'aborted']),
    step: z.int().describe('From 1.'),
    steps: z.int(),
    weight: z.number().describe('Percent of the users on its side now.'),
    since: z.iso.datetime().describe('When the step or phase began.'),
    reason: z.string().nullable().describe('The limit that was broken, when it stopped by itself.'),
    stable: trackShape,
    canary: trackShape,
  })
  .meta({ id: 'Canary' })

const verbs = {
  promote: ['Go on to the next step', 'it has no next step, or nobody is let in'],
  pause: ['Stay at the step', 'it does not progress'],
  resume: ['Go on after a pause, or begin anew after a rollback or an abort', 'it progresses already'],
  abort: ['Send everybody to the stable side', 'everybody is there already'],
} as const

/** `/canaries`: releases, seen and moved. @param canaries those of the running configuration, by place. */
export function canaryRoutes(canaries: () => ReadonlyMap<string, SteerableRelease>): AdminRoute[] {
  const found = (id = ''): SteerableRelease => {
    const release = canaries().get(id)
    if (release !== undefined) return release
    const known = [...canaries().keys()]
    const there = known.length === 0 ? 'there is none' : `there are ${known.join(', ')}`
    throw new GatewayError('NOT_FOUND', `There is no canary "${id}"; ${there}.`)
  }
  return [
    adminRoute({
      method: 'GET',
      path: '/canaries',
      scope: 'read',
      summary: 'Releases, and how both sides do',
      query: z.strictObject(pageQuery),
      answer: pageOfSchema(canaryShape),
      serve: ({ query }) => pageAnswer(pageOf([...canaries().values()].map(shown), query)),
    }),
    adminRoute({
      method: 'GET',
      path: '/canaries/{id}',
      scope: 'read',
      summary: 'A release, and how both sides do',
      answer: canaryShape,
      serve: ({ params }) => ({ body: shown(found(params.id)) }),
    }),
    ...(Object.keys(verbs) as (keyof typeof verbs)[]).map((verb) =>
      adminRoute({
        method: 'POST',
        path: `/canaries/{id}:${verb}`,
        scope: 'canary',
        summary: verbs[verb][0],
        answer: canaryShape,
        serve({ params, dryRun }): AdminAnswer {
          const release = found(params.id)
          const before = shown(release)
          if (dryRun) return dryAnswer([changeOf('canaries', before.id, { before, after: { verb } })])
          if (!release[verb]())
            throw new GatewayError(
              'CONFLICT',
              `The canary "${before.id}" is ${before.phase}: ${verbs[verb][1]}.`,
            )
          const after = shown(release)
          return { body: after, changes: [changeOf('canaries', before.id, { before, after })] }
        },
      }),
    ),
  ]
}

function shown(release: SteerableRelease): z.output<typeof canaryShape> {
  const { place: id, since, reason, stable, canary, ...others } = release.status()
  return {
    ...others,
    id,
    since: new Date(since).toISOString(),
    reason: reason ?? null,
    stable: { ...stable, p95Ms: stable.p95Ms ?? null },
    canary: { ...canary, p95Ms: canary.p95Ms ?? null },
  }
}
