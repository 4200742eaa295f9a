import { setImmediate as nextTurn } from 'node:timers/promises'
import { z } from 'zod'
import { definePlugin } from '../../src/pipeline/registry.ts'

/** Works for so long for each request: at once, or a turn of the event loop later. */
export const plugin = definePlugin({
  name: 'burn',
  options: z.strictObject({ ms: z.number(), late: z.boolean().default(false) }),
  create: ({ ms, late }) => ({
    name: 'burn',
    onRequest: () => (late ? nextTurn().then(() => burn(ms)) : burn(ms)),
  }),
})

function burn(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}
