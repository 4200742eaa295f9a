import type { Row } from '../../../core/route.ts'
import type { Template } from '../../../routing/template.ts'

/** Makes the rows by which streaming methods are served over WebSockets: at most one for the same paths, the first. */
export class SocketRows {
  readonly #taken = new Set<string>()

  /** The row beside that of a binding, as an array of none or one: a WebSocket begins with a GET, whatever the verb of the binding. */
  beside(row: Row, { segments, verb }: Template, serve: Row['serve']): readonly Row[] {
    const shape = `${segments.map((segment) => (segment.kind === 'literal' ? segment.text : `{${segment.kind}}`)).join('/')}:${verb}`
    if (this.#taken.has(shape)) return []
    this.#taken.add(shape)
    return [{ ...row, methods: ['GET'], headers: [{ name: 'upgrade', value: 'websocket' }], serve }]
  }
}
