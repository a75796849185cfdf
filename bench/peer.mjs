// Starts a Python peer (bench/peers/) and asks it for one step at a time, so that both sides take turns in one run.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** The Python of the peers' environment: LEXRAY_PEER_PYTHON. */
export function peerPython() {
  const python = process.env.LEXRAY_PEER_PYTHON;
  if (!python) {
    console.error('set LEXRAY_PEER_PYTHON to the Python of the peers (see bench/peers/README.md)');
    process.exit(2);
  }
  return python;
}

/** A running Python peer: `ask('step')` gives its answer, `quit()` ends it and gives its peak memory. */
export async function startPeer(script, args, environment = {}) {
  return start(peerPython(), [fileURLToPath(new URL(`peers/${script}`, import.meta.url)), ...args], environment);
}

/** The same of a script of this folder. */
export async function startLexray(script, args) {
  return start(process.execPath, [fileURLToPath(new URL(script, import.meta.url)), ...args], {});
}

async function start(command, args, environment) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...environment } });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) throw new Error(`${args[0]} ended early`);
      if (value.startsWith('{')) return JSON.parse(value);
    }
  };
  const ready = await next();
  return {
    ready,
    ask: async (command) => {
      child.stdin.write(`${command}\n`);
      const answer = await next();
      if (answer.error) throw new Error(`${args[0]}: ${answer.error}`);
      return answer;
    },
    quit: async () => {
      child.stdin.end('quit\n');
      return next();
    },
  };
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Prints rows in columns. */
export function printTable(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => String(row[column]).length)));
  for (const row of rows) {
    console.log(
      row
        .map((cell, column) => (column === 0 ? String(cell).padEnd(widths[0]) : String(cell).padStart(widths[column])))
        .join('  '),
    );
  }
}
