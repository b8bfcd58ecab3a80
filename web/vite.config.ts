import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

// Files of stable names: the gateway has them in it, and says itself when they changed (ETag). What is rarely looked at has a file of
// its own, loaded then: `layout.js`, `Trace.js`, `zh.js`; what these share with the page is `shared.js`. Their styles are with the others.
export default defineConfig({
  plugins: [svelte()],
  build: {
    outDir: '../crates/pb-gateway/dist',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: false,
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    rolldownOptions: {
      output: {
        entryFileNames: 'app.js',
        chunkFileNames: '[name].js',
        assetFileNames: 'app[extname]',
        codeSplitting: { groups: [{ name: 'shared', minShareCount: 2 }] },
      },
    },
  },
  test: { include: ['test/**/*.test.ts'] },
});
