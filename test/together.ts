import { pathToFileURL } from 'node:url'

// Several test files in one process, one after the other, so that what they all load is loaded once. test/run.ts chooses which.

for (const file of process.argv.slice(2)) await import(pathToFileURL(file).href)
