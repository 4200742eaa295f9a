import express from 'express'
import { createGateway } from 'trivium'

const gateway = await createGateway({ file: 'gateway.yaml', environment: process.env })
const app = express()
app.use(gateway.middleware) // takes what a route of the gateway claims; the rest is yours
app.get('/mine', (_req, res) => {
  res.send('mine')
})
app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1')
