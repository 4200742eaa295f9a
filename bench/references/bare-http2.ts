import { createServer } from 'node:http2'
import { answerOf } from '../h2load.ts'

// What node:http2 costs by itself: answers each call on PORT with what the backend answered to the first, and does nothing else. Arguments:
// the backend's origin, the path of the method, the request in hexadecimal.

const [origin = '', path = '', request = ''] = process.argv.slice(2)
const answer = Buffer.from(
  await answerOf(origin, { path, headers: {}, message: Buffer.from(request, 'hex') }),
  'hex',
)

const server = createServer()
server.on('stream', (stream) => {
  stream.resume()
  stream.on('end', () => {
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.end(answer)
  })
})
server.listen(Number(process.env.PORT), '127.0.0.1')
