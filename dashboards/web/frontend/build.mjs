// Bundles the pages' scripts and styles into ../static/dist: hashed names, a manifest that the templates
// read, and a .gz beside every text file so that the server never compresses them again.
// Called by dashboards/web/build.py; `node build.mjs <output folder>`.
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const output = process.argv[2];
if (!output) {
  console.error("usage: node build.mjs <output folder>");
  process.exit(2);
}

// Half of the words stand in templates alone: a phone need not load them with every first page.
const source = (await Promise.all(
  (await readdir("src", { recursive: true })).filter((name) => name.endsWith(".ts")).map((name) => readFile(path.join("src", name), "utf8")),
)).join("\n");
const literals = new Set([...source.matchAll(/["']([a-z0-9_.]+)["']/g)].map(([, key]) => key));
const prefixes = [
  ...[...source.matchAll(/`([a-z0-9_.]+)\.\$\{/g)].map(([, prefix]) => prefix),
  ...[...source.matchAll(/\bword\(\s*"([a-z0-9_.]+)"/g)].map(([, prefix]) => prefix),
].map((prefix) => `${prefix}.`);
const usedWords = {
  name: "used-words",
  setup: ({ onLoad }) => onLoad({ filter: /i18n[\\/](vi|en)\.json$/ }, async (file) => {
    const words = Object.entries(JSON.parse(await readFile(file.path, "utf8")));
    const kept = words.filter(([key]) => literals.has(key) || prefixes.some((prefix) => key.startsWith(prefix)));
    return { contents: JSON.stringify(Object.fromEntries(kept)), loader: "json" };
  }),
};

await rm(output, { recursive: true, force: true });
await mkdir(output, { recursive: true });

const result = await build({
  entryPoints: [
    { in: "src/home.ts", out: "home" },
    { in: "src/pole.ts", out: "pole" },
    { in: "src/commands.ts", out: "commands" },
    { in: "src/notices.ts", out: "notices" },
    { in: "src/incidents.ts", out: "incidents" },
    { in: "src/incident.ts", out: "incident" },
    { in: "src/windows.ts", out: "windows" },
    { in: "src/thresholds.ts", out: "thresholds" },
    { in: "src/users.ts", out: "users" },
    { in: "src/base.ts", out: "base" },
    { in: "src/styles/base.css", out: "base" },
    { in: "src/styles/home.css", out: "home" },
    { in: "src/styles/pole.css", out: "pole" },
    { in: "src/styles/commands.css", out: "commands" },
    { in: "src/styles/notices.css", out: "notices" },
    { in: "src/styles/work.css", out: "work" },
    { in: "src/styles/public.css", out: "public" },
    { in: "src/styles/uptime.css", out: "uptime" },
    { in: "src/icons/lamp.svg", out: "lamp" },
  ],
  outdir: output,
  entryNames: "[name]-[hash]",
  chunkNames: "shared-[hash]",
  assetNames: "[name]-[hash]",
  loader: { ".svg": "copy", ".woff2": "file", ".png": "dataurl" },
  bundle: true,
  plugins: [usedWords],
  splitting: true,
  format: "esm",
  target: ["chrome105", "firefox110", "safari16"],
  minify: true,
  charset: "utf8",
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
});

// What we hand on must carry its licence; the comments in the bundles are dropped for their size.
const licences = [];
for (const name of Object.keys(JSON.parse(await readFile("package.json", "utf8")).dependencies)) {
  const home = path.join("node_modules", name);
  const { version, license } = JSON.parse(await readFile(path.join(home, "package.json"), "utf8"));
  licences.push(`${name} ${version} (${license})\n\n${await readFile(path.join(home, "LICENSE"), "utf8")}`);
}
await writeFile(path.join(output, "licences.txt"), licences.join(`\n${"-".repeat(72)}\n\n`));

const entries = {};
for (const [file, facts] of Object.entries(result.metafile.outputs)) {
  if (!facts.entryPoint) continue;
  const extension = path.extname(facts.entryPoint).replace(".ts", ".js");
  entries[path.basename(facts.entryPoint, path.extname(facts.entryPoint)) + extension] = {
    file: path.basename(file),
    preload: facts.imports.filter((each) => each.kind === "import-statement").map((each) => path.basename(each.path)),
  };
}
for (const file of Object.keys(result.metafile.outputs)) {
  if (!/\.(js|css|svg)$/.test(file)) continue;
  await writeFile(`${file}.gz`, gzipSync(await readFile(file), { level: 9 }));
}
const sorted = Object.fromEntries(Object.entries(entries).sort(([a], [b]) => a.localeCompare(b)));
await writeFile(path.join(output, "manifest.json"), `${JSON.stringify(sorted, null, 2)}\n`);
