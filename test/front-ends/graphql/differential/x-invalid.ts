import { pairFor } from './case.ts'
import { generateModel } from './generate-model.ts'
import { generateQuery } from './generate-query.ts'
let n=0,len=0
for (let i=0;i<6;i++){ const pair = await pairFor(generateModel(String(i))); if(!pair) continue
for (let j=0;j<50;j++){ const q=generateQuery(pair.monolith.schema,`${i}/${j}`); if(q){n++;len+=q.text.length} } }
console.log(n,len/n)
