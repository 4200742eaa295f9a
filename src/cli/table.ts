import { cut, harmless, paint, type Tone, terminalWidth } from './terminal.ts'

/** A row of cells by column. */
export type TableRow = Readonly<Record<string, string>>

/** Narrower than this no column is made, so that a narrow terminal still shows something. */
const leastWidth = 8

/**
 * Prints rows below their column names, in columns as wide as they need; on a terminal that is narrower than that, the widest are cut.
 * `tone` says how the cell of a column stands out.
 */
export function printTable(
  rows: readonly TableRow[],
  tone: (column: string, cell: string) => Tone | undefined = () => undefined,
): void {
  const columns = Object.keys(rows[0] ?? {})
  const cells = rows.map((row) => columns.map((column) => harmless(row[column] ?? '')))
  const widths = fitted(
    columns.map((column, index) => Math.max(column.length, ...cells.map((row) => (row[index] ?? '').length))),
    terminalWidth(),
  )
  const line = (texts: readonly string[], toneOf: (index: number) => Tone | undefined): string =>
    texts
      .map((text, index) => {
        const width = widths[index] ?? 0
        const shown = cut(text, width)
        const tone = toneOf(index)
        const gap = index === texts.length - 1 ? '' : ' '.repeat(width - shown.length)
        return (tone === undefined ? shown : paint(tone, shown)) + gap
      })
      .join('  ')
      .trimEnd()
  console.log(
    line(
      columns.map((column) => column.toUpperCase()),
      () => 'strong',
    ),
  )
  for (const row of cells) console.log(line(row, (index) => tone(columns[index] ?? '', row[index] ?? '')))
}

/** Takes from the widest column until the line fits. */
function fitted(widths: readonly number[], space: number | undefined): readonly number[] {
  const fit = [...widths]
  const total = (): number => fit.reduce((sum, width) => sum + width, 0) + 2 * (fit.length - 1)
  while (space !== undefined && total() > space) {
    const widest = Math.max(...fit)
    if (widest <= leastWidth) break
    fit[fit.indexOf(widest)] = widest - 1
  }
  return fit
}
