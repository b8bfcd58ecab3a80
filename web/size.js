// Prints what the first load of the page weighs, gzipped, in bytes: `node size.js FOLDER`.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const folder = process.argv[2];
const sizes = readdirSync(folder).map((name) => gzipSync(readFileSync(join(folder, name)), { level: 9 }).length);
console.log(sizes.reduce((sum, size) => sum + size, 0));
