// Prints what the first load of the page weighs, gzipped, in bytes: `node size.js FOLDER`. The rest is loaded when it is
// needed.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const folder = process.argv[2];
const first = ['index.html', 'app.js', 'shared.js', 'app.css'];
console.log(first.reduce((sum, name) => sum + gzipSync(readFileSync(join(folder, name)), { level: 9 }).length, 0));
