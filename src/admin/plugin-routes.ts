import { z } from 'zod'
import { type AdminRoute, adminRoute } from './admin-route.ts'
import { pageAnswer, pageOf, pageOfSchema, pageQuery } from './page.ts'

const pluginShape = z.strictObject({
  id: z.string(),
  options: z.looseObject({}).describe('JSON Schema, draft 2020-12.'),
})

/** `/plugins:available`. @param optionsOf the schemas of the options of all plugins that there are, by name. */
export function pluginRoutes(optionsOf: () => Readonly<Record<string, object>>): AdminRoute[] {
  return [
    adminRoute({
      method: 'GET',
      path: '/plugins:available',
      scope: 'read',
      summary: 'Plugins that may be used, with the schema of their options',
      query: z.strictObject(pageQuery),
      answer: pageOfSchema(pluginShape),
      serve({ query }) {
        const all = Object.entries(optionsOf()).map(([id, options]) => ({ id, options }))
        return pageAnswer(pageOf(all, query))
      },
    }),
  ]
}
