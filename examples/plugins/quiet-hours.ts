import { GatewayError } from 'trivium/error'
import { definePlugin } from 'trivium/plugin'
import { z } from 'zod'

/** Refuses requests in some hours of the day (UTC). */
export const plugin = definePlugin({
  name: 'quietHours',
  options: z.strictObject({ from: z.int().min(0).max(23), to: z.int().min(0).max(23) }),
  create: ({ from, to }, host) => ({
    onRequest: () => {
      const hour = new Date(host.now()).getUTCHours()
      if (hour >= from && hour < to)
        throw new GatewayError('REFUSED_BY_PLUGIN', `Closed from ${from} to ${to} o'clock UTC.`)
    },
  }),
})
