import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

// Files of stable names, `layout.js` not before a plan is shown: the gateway has them in it, and says itself when they changed (ETag).
export default defineConfig({
  plugins: [svelte()],
  build: {
    outDir: '../crates/pb-gateway/dist',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: false,
    assetsInlineLimit: 0,
    rolldownOptions: {
      output: {
        entryFileNames: 'app.js',
        chunkFileNames: '[name].js',
        assetFileNames: 'app[extname]',
      },
    },
  },
  test: { include: ['test/**/*.test.ts'] },
});
