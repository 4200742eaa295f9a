import { pathToFileURL } from 'node:url'

// Several test files in one process, one after the other, so that what they all load is loaded once. test/run.ts chooses which.

// The first tests run while later files are loaded: what takes long is loaded before.
await import('./world.ts')
for (const file of process.argv.slice(2)) await import(pathToFileURL(file).href)
