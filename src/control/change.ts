/** The named things of a configuration that can be written one at a time; `settings` are its other top-level sections, by their name. */
export const itemKinds = ['routes', 'upstreams', 'consumers', 'plugins', 'subgraphs', 'grpcServices'] as const
export type ItemKind = (typeof itemKinds)[number]

/** One thing that differs between two configurations, or that somebody changed. Values are as they were written, secrets masked. */
export interface Change {
  readonly kind: ItemKind | 'settings' | (string & {})
  /** The id of a route or consumer, the name of an upstream, plugin, subgraph or service, the section of a setting. */
  readonly id: string
  readonly op: 'create' | 'update' | 'delete'
  /** Absent for what was created. */
  readonly before?: unknown
  /** Absent for what was deleted. */
  readonly after?: unknown
}

/** What somebody wants of the configuration. Values are in the words of `gateway.yaml`. */
export type ConfigEdit =
  /** Adds it; what is there already is refused. `before`: the id of the item of a list in front of which it stands; absent: the end. */
  | {
      readonly op: 'create'
      readonly kind: ItemKind
      readonly id: string
      readonly value: unknown
      readonly before?: string | undefined
    }
  /** Adds it, or puts it in the place of the one with this id. */
  | { readonly op: 'put'; readonly kind: ItemKind; readonly id: string; readonly value: unknown }
  /** RFC 7396. */
  | { readonly op: 'patch'; readonly kind: ItemKind; readonly id: string; readonly value: unknown }
  /** Refused while something refers to it. */
  | { readonly op: 'delete'; readonly kind: ItemKind; readonly id: string }
  /** RFC 7396 on the whole document. */
  | { readonly op: 'merge'; readonly value: unknown }
  /** The whole document, YAML or JSON. */
  | { readonly op: 'replace'; readonly text: string }
