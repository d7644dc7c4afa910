import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  // Addresses from the page on: the console may lie below any path of a proxy.
  base: "./",
  // One catalogue for the whole product: the console is built from the files that Python reads.
  resolve: { alias: { "@translations": here("../src/tynysh/translations") } },
  esbuild: { jsx: "automatic" },
  build: {
    outDir: here("../src/tynysh/api/console"),
    emptyOutDir: true,
    target: ["chrome109", "firefox115", "safari16"],
    // The Content-Security-Policy knows no data: addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    fs: { allow: [here("."), here("../src/tynysh/translations")] },
    proxy: { "/api": { target: process.env["TYNYSH_URL"] ?? "http://127.0.0.1:8080", ws: true } },
  },
  test: { environment: "node", include: ["src/**/*.test.{ts,tsx}"] },
});
