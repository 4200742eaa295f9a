/**
 * Lines of a table for people: the first column to the left, the others to the right, as wide as their widest cell. Cells beyond the first
 * row's stand as they are.
 */
export function aligned(rows: readonly (readonly string[])[], between = '  '): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0
        return column === 0 ? cell.padEnd(width) : cell.padStart(width)
      })
      .join(between)
      .trimEnd(),
  )
}
