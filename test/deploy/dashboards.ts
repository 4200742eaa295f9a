import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** A dashboard of deploy/grafana, as far as its tests look at it. */
export interface Dashboard {
  readonly uid: string
  readonly title: string
  readonly panels: readonly Panel[]
  readonly links: readonly { readonly url: string }[]
  readonly templating: { readonly list: readonly Variable[] }
  readonly annotations: { readonly list: readonly { readonly expr: string }[] }
}

export interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly description?: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly datasource?: { readonly type: string; readonly uid: string }
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } }
  readonly targets?: readonly Target[]
}

export interface Target {
  readonly refId: string
  readonly expr: string
  readonly legendFormat: string
  readonly datasource: { readonly uid: string }
}

interface Variable {
  readonly name: string
  readonly type: string
  readonly definition?: string
}

export const grafana = fileURLToPath(new URL('../../deploy/grafana', import.meta.url))

export const dashboards: readonly Dashboard[] = readdirSync(`${grafana}/dashboards`).map(
  (file) => JSON.parse(readFileSync(`${grafana}/dashboards/${file}`, 'utf8')) as Dashboard,
)

/** Every query of a dashboard: where it stands, and as Prometheus gets it with all variables at All. */
export function queriesOf(
  dashboard: Dashboard,
): readonly { readonly place: string; readonly expr: string }[] {
  const ofPanels = dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ refId, expr }) => ({ place: `${dashboard.title} / ${title} / ${refId}`, expr })),
  )
  return ofPanels.map(({ place, expr }) => ({ place, expr: withVariables(expr) }))
}

/** As Grafana fills it in; the window is one that a short test fills. */
export function withVariables(expr: string): string {
  return expr
    .replaceAll('$__rate_interval', '1m')
    .replaceAll('$__interval', '1m')
    .replace(/\$[a-z]+/g, '.*')
}
