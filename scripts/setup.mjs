// Installs and builds what is missing, with Node's own modules alone: what `npm run demo` and `npm test` call first.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Runs a command in the repository root and stops this process when it fails. */
export function run(command, args, options = {}) {
  const status = tryRun(command, args, options);
  if (status !== 0) process.exit(status);
}

/** Runs a command in the repository root and returns its exit code. */
export function tryRun(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (result.error) console.error(`${command}: ${result.error.message}`);
  return result.status ?? 1;
}

/** Runs an npm package's program by its JavaScript entry point: no shell, so that it works on Windows too. */
export function runBin(entry, args, options = {}) {
  run(process.execPath, [binPath(entry), ...args], options);
}

/** The path of a program inside node_modules. */
export function binPath(entry) {
  return join(root, 'node_modules', ...entry.split('/'));
}

/** Paths of all files below a folder, relative to it, with forward slashes. */
export function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      relative(folder, join(entry.parentPath ?? entry.path, entry.name))
        .split(sep)
        .join('/'),
    );
}

function newest(folder) {
  let time = 0;
  for (const file of filesBelow(folder)) {
    if (/\.(test|suite)\.ts$/.test(file)) continue;
    time = Math.max(time, statSync(join(folder, file), { throwIfNoEntry: false })?.mtimeMs ?? 0);
  }
  return time;
}

/** Whether node_modules holds the versions of the lock; optional packages may be missing. */
function isInstalled() {
  const packagesOf = (path) => JSON.parse(readFileSync(path, 'utf8')).packages;
  const listing = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(listing)) return false;
  const installed = packagesOf(listing);
  return Object.entries(packagesOf(join(root, 'package-lock.json'))).every(([place, { version, optional }]) => {
    if (place === '') return true;
    return installed[place] === undefined ? optional === true : installed[place].version === version;
  });
}

function npm(args) {
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: process.env.ONNXRUNTIME_NODE_INSTALL ?? 'skip' };
  // npm sets npm_execpath for the scripts it runs; without it the npm on the path is used.
  const cli = process.env.npm_execpath;
  if (cli?.endsWith('.js')) run(process.execPath, [cli, ...args], { env });
  else run(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, { env, shell: process.platform === 'win32' });
}

/** Checks Node, then installs the locked packages and builds when something is missing or older than its source. */
export function setUp() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    console.error(`Lexray needs Node 20.19 or newer; this is ${process.versions.node}.`);
    process.exit(2);
  }
  if (!isInstalled()) {
    console.error('installing packages …');
    npm(['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  }
  const stamp = join(root, 'dist', '.built');
  if (
    !existsSync(stamp) ||
    statSync(stamp).mtimeMs < Math.max(newest(join(root, 'src')), statSync(join(root, 'package-lock.json')).mtimeMs)
  ) {
    console.error('building …');
    run(process.execPath, [join(root, 'scripts', 'build.mjs')]);
  }
}
