import type { Metric, Registry } from 'prom-client'

/** A number that is added to in place; read when metrics are scraped. */
export class Cell {
  value = 0
}

/** Observations of one label set, counted into buckets. */
export class Series {
  readonly bounds: readonly number[]
  /** Not cumulative; the last one counts what is above every bound. */
  readonly counts: number[]
  sum = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = new Array<number>(bounds.length + 1).fill(0)
  }

  observe(value: number): void {
    let i = 0
    while (i < this.bounds.length && value > (this.bounds[i] as number)) i++
    this.counts[i] = (this.counts[i] as number) + 1
    this.sum += value
  }
}

/** What a metric is called and what its label values mean. */
export interface MetricSpec {
  readonly name: string
  readonly help: string
  readonly labelNames: readonly string[]
}

/** The counter of this name in the registry, made when it is not there yet: metrics outlive a reload. */
export function counter(registry: Registry, spec: MetricSpec): Family<Cell> {
  return family(registry, spec.name, () => new Family(spec, 'counter', cells))
}

/** The gauge of this name in the registry, made when it is not there yet. */
export function gauge(registry: Registry, spec: MetricSpec): Family<Cell> {
  return family(registry, spec.name, () => new Family(spec, 'gauge', cells))
}

/** The histogram of this name in the registry, made when it is not there yet; `bounds` are upper, ascending. */
export function histogram(registry: Registry, spec: MetricSpec, bounds: readonly number[]): Family<Series> {
  const make = (): Family<Series> =>
    new Family(spec, 'histogram', {
      make: () => new Series(bounds),
      read: (labels, series) => seriesValues(spec.name, labels, series),
      write: seriesText,
    })
  return family(registry, spec.name, make)
}

/** How the children of a family are made and read. */
interface Kind<Child> {
  make(): Child
  /** For prom-client. */
  read(labels: Readonly<Record<string, string>>, child: Child): Sample[]
  /** The same as lines; `labels` as they stand between the braces. */
  write(name: string, labels: string, child: Child): string
}

interface Labelled<Child> {
  readonly labels: Readonly<Record<string, string>>
  readonly text: string
  readonly child: Child
}

interface Sample {
  readonly metricName?: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/**
 * One metric with a child per label set, as prom-client's registry reads it. prom-client's own children hash their labels on every
 * observation (0.65 to 0.95 µs, measured); these are plain numbers that are put together when somebody scrapes.
 */
export class Family<Child> {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly aggregator = 'sum'
  readonly #labelNames: readonly string[]
  readonly #make: () => Child
  readonly #read: (labels: Readonly<Record<string, string>>, child: Child) => Sample[]
  readonly #children = new Map<string, Labelled<Child>>()
  readonly #write: (name: string, labels: string, child: Child) => string

  constructor(spec: MetricSpec, type: 'counter' | 'gauge' | 'histogram', { make, read, write }: Kind<Child>) {
    this.name = spec.name
    this.help = spec.help
    this.type = type
    this.#labelNames = spec.labelNames
    this.#make = make
    this.#read = read
    this.#write = write
  }

  /** How many label sets there are. */
  get size(): number {
    return this.#children.size
  }

  /** The child for these label values, in the order of the label names. Keep it: finding it costs more than using it. */
  labels(...values: readonly string[]): Child {
    const key = values.join('\u0000')
    const known = this.#children.get(key)
    if (known !== undefined) return known.child
    const labels = Object.fromEntries(this.#labelNames.map((name, i) => [name, values[i] ?? '']))
    const child = this.#make()
    const text = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
    this.#children.set(key, { labels, text: text.join(','), child })
    return child
  }

  /** The Prometheus text, piece by piece: the head, then the lines of each child. */
  *text(): Generator<string> {
    yield `# HELP ${this.name} ${this.help}\n# TYPE ${this.name} ${this.type}\n`
    for (const { text, child } of this.#children.values()) yield this.#write(this.name, text, child)
  }

  /** Called by the registry. */
  async get(): Promise<object> {
    const values = [...this.#children.values()].flatMap(({ labels, child }) => this.#read(labels, child))
    return { name: this.name, help: this.help, type: this.type, aggregator: this.aggregator, values }
  }

  /** Called by the registry's `resetMetrics`. */
  reset(): void {
    this.#children.clear()
  }
}

function family<Child>(registry: Registry, name: string, make: () => Family<Child>): Family<Child> {
  const known: unknown = registry.getSingleMetric(name)
  if (known instanceof Family) return known
  const made = make()
  // The registry needs name, get() and reset() of a metric; its type asks for prom-client's own class.
  registry.registerMetric(made as unknown as Metric)
  return made
}

const cells: Kind<Cell> = {
  make: () => new Cell(),
  read: cellValues,
  write: (name, labels, { value }) => `${name}${labels === '' ? '' : `{${labels}}`} ${value}\n`,
}

/** As label values are written (Prometheus exposition formats, "Comments, help text, and type information"). */
function escaped(value: string): string {
  return value.replace(/[\\\n"]/g, (odd) => (odd === '\n' ? '\\n' : `\\${odd}`))
}

function seriesText(name: string, labels: string, { bounds, counts, sum }: Series): string {
  const before = labels === '' ? '' : `${labels},`
  const braces = labels === '' ? '' : `{${labels}}`
  let text = ''
  let total = 0
  for (let i = 0; i < counts.length; i++) {
    total += counts[i] as number
    text += `${name}_bucket{${before}le="${i < bounds.length ? bounds[i] : '+Inf'}"} ${total}\n`
  }
  return `${text}${name}_sum${braces} ${sum}\n${name}_count${braces} ${total}\n`
}

function cellValues(labels: Readonly<Record<string, string>>, cell: Cell): Sample[] {
  return [{ labels, value: cell.value }]
}

function seriesValues(name: string, labels: Readonly<Record<string, string>>, series: Series): Sample[] {
  const samples: Sample[] = []
  let total = 0
  for (let i = 0; i < series.counts.length; i++) {
    total += series.counts[i] as number
    const le = i < series.bounds.length ? String(series.bounds[i]) : '+Inf'
    samples.push({ metricName: `${name}_bucket`, labels: { ...labels, le }, value: total })
  }
  samples.push({ metricName: `${name}_sum`, labels, value: series.sum })
  samples.push({ metricName: `${name}_count`, labels, value: total })
  return samples
}
