import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import react from '@vitejs/plugin-react'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

// the server sends the compressed sibling of a file to a browser that takes it
function compressed(): Plugin {
  return {
    name: 'compressed',
    apply: 'build',
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        for (const [name, item] of Object.entries(bundle)) {
          if (!/\.(js|css|svg|json)$/.test(name)) continue
          const source = Buffer.from(item.type === 'chunk' ? item.code : item.source)
          if (source.length < 1024) continue
          const params = {
            [constants.BROTLI_PARAM_QUALITY]: 11,
            [constants.BROTLI_PARAM_SIZE_HINT]: source.length,
          }
          this.emitFile({ type: 'asset', fileName: `${name}.gz`, source: gzipSync(source, { level: 9 }) })
          this.emitFile({
            type: 'asset',
            fileName: `${name}.br`,
            source: brotliCompressSync(source, { params }),
          })
        }
      },
    },
  }
}

// two entries that share nothing but the build: the cockpit, and the page behind a connector's QR code
const entries = ['index.html', 'driver.html'].filter((name) => existsSync(at(name))).map(at)
const server = process.env.CSMS_DEV_SERVER ?? 'http://127.0.0.1:8080'

export default defineConfig({
  plugins: [react(), compressed()],
  base: '/',
  resolve: { alias: { '@': at('src') } },
  build: {
    outDir: process.env.CSMS_WEB_OUT ?? 'dist',
    emptyOutDir: true,
    target: 'es2022',
    // older targets would have light-dark() rewritten into something that Mantine's scheme does not switch
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    assetsInlineLimit: 0, // data URLs would need a wider content security policy
    reportCompressedSize: false,
    rolldownOptions: { input: entries },
  },
  server: {
    proxy: {
      '/api': server,
      '/health': server,
      '/sign-in': server,
      '/sign-out': server,
      '/ws': { target: server, ws: true },
    },
  },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.{ts,tsx}'],
    globals: false,
  },
})
