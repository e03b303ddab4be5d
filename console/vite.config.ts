import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

// The server replaces the placeholder by a nonce of its own for every page it sends (core/http/console.ts).
export const noncePlaceholder = '%nonce%'

export default defineConfig({
  root: import.meta.dirname,
  base: '/',
  plugins: [react()],
  html: { cspNonce: noncePlaceholder },
  build: {
    outDir: 'dist',
    target: 'es2024',
    // The first that know light-dark(): translated for older ones, it says nothing without a color-scheme of ours.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    // A data: address would need a hole in the content security policy.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1000,
    reportCompressedSize: false
  }
})
