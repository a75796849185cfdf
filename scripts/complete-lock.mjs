// Adds to package-lock.json the native packages of other platforms that npm left out, because the registry it wrote the
// lock from does not serve them. A lock without them is refused by `npm ci` of npm 11 and does not install elsewhere.
// Run after an `npm install` that changed such a package; test/package.test.ts says when it is needed. Added entries have
// no digest; `npm install` against a complete registry adds it.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const path = join(fileURLToPath(new URL('..', import.meta.url)), 'package-lock.json');
const lock = JSON.parse(readFileSync(path, 'utf8'));

const systems = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32'];
const processors = ['arm64', 'arm', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'x64'];

/** Where the platform stands in a name such as `@scope/binding-linux-arm-musleabihf`. */
function platformOf(name) {
  const words = name.split(/[/-]/);
  const os = words.find((word) => systems.includes(word));
  const cpu = words.find((word) => processors.includes(word));
  if (os === undefined || cpu === undefined) return undefined;
  const last = words.at(-1);
  const libc = os !== 'linux' ? undefined : last.startsWith('musl') ? 'musl' : 'glibc';
  return { cpu: [cpu], ...(libc === undefined ? {} : { libc: [libc] }), os: [os] };
}

let added = 0;
for (const [place, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (place === '' || `node_modules/${name}` in lock.packages || `${place}/node_modules/${name}` in lock.packages)
      continue;
    const platform = platformOf(name);
    if (platform === undefined || !/^\d+\.\d+\.\d+/.test(version)) {
      console.error(`left out: ${name}@${version}, wanted by ${place}`);
      process.exitCode = 1;
      continue;
    }
    const { cpu, ...rest } = platform;
    lock.packages[`node_modules/${name}`] = {
      version,
      cpu,
      ...(entry.dev ? { dev: true } : {}),
      ...(rest.libc ? { libc: rest.libc } : {}),
      license: entry.license,
      optional: true,
      os: rest.os,
    };
    added++;
  }
}
if (added > 0) {
  const sorted = Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1));
  writeFileSync(path, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`);
}
console.log(`${added} entries added to package-lock.json`);
