import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { crc32c, maskedCrc32c } from './crc32c.ts';
import { EventFile, scalarTags } from './event-files.ts';

/** Made by scripts/golden/tensorboard_events.py, which also has TensorBoard read its files. */
const goldens = fileURLToPath(new URL('../../../test/fixtures/goldens/tensorboard/', import.meta.url));

interface Golden {
  readonly wallTime: number;
  readonly starts: readonly {
    readonly name: string;
    readonly firstStep: number;
    readonly rows: readonly (readonly [number, Record<string, number>])[];
  }[];
  readonly read: Readonly<Record<string, readonly (readonly [number, number])[]>>;
  readonly maskedChecksums: readonly (readonly [string, number])[];
}

const golden = JSON.parse(await readFile(join(goldens, 'golden.json'), 'utf8')) as Golden;

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lexray events '));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const eventFiles = async (): Promise<string[]> => (await readdir(folder)).sort();

describe('checksums', () => {
  it('are those of RFC 3720', () => {
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
  });

  it('are masked as TensorBoard masks them', () => {
    for (const [text, checksum] of golden.maskedChecksums) expect(maskedCrc32c(Buffer.from(text))).toBe(checksum);
  });
});

describe('event files', () => {
  it("are byte for byte TensorBoard's own, for a run and its resumption", async () => {
    for (const { firstStep, rows } of golden.starts) {
      const file = await EventFile.open(folder, { firstStep, now: () => golden.wallTime });
      for (const [step, scalars] of rows) await file.write(step, scalars);
    }
    const [written, wanted] = [await eventFiles(), (await readdir(goldens)).filter((name) => name.endsWith('.bin'))];
    expect(written).toHaveLength(2);
    for (const [i, name] of wanted.sort().entries()) {
      expect(await readFile(join(folder, written[i]!))).toEqual(await readFile(join(goldens, name)));
    }
    // What TensorBoard read from them: steps 4 and 5 are those of the second start.
    expect(golden.read['train/loss']!.map(([step]) => step)).toEqual([1, 2, 3, 4, 5, 100_000]);
    expect(golden.read['train/loss']![3]).toEqual([4, 2.25]);
  });

  it('are read after those of earlier starts, also where the clock was set back', async () => {
    const clocks = [2_000_000_000, 1_999_999_000, 1_999_999_000];
    const paths = [];
    for (const clock of clocks) paths.push((await EventFile.open(folder, { now: () => clock })).path);
    expect((await eventFiles()).map((name) => join(folder, name))).toEqual(paths);
    expect(new Set(paths).size).toBe(3);
  });

  it('make a second start forget the first, even from step 1', async () => {
    await EventFile.open(folder);
    const second = await EventFile.open(folder);
    expect((await readFile(second.path)).length).toBeGreaterThan(
      (await readFile(join(folder, (await eventFiles())[0]!))).length,
    );
  });

  it('lie beside other files', async () => {
    await writeFile(join(folder, 'metrics.jsonl'), '{}\n');
    await writeFile(join(folder, 'events.out.tfevents.strange'), '');
    const { path } = await EventFile.open(join(folder));
    expect(path).toMatch(/events\.out\.tfevents\.\d{10}\.lexray\.\d+\.0$/);
  });
});

describe('scalarTags', () => {
  it("groups as transformers' callback does", () => {
    expect(scalarTags({ step: 10, epoch: 0, loss: 2, grad_norm: 1 })).toEqual({
      'train/epoch': 0,
      'train/loss': 2,
      'train/grad_norm': 1,
    });
    expect(scalarTags({ step: 10, epoch: 0, 'eval_dot_ndcg@10': 0.5, seconds: 3 })).toEqual({
      'eval/epoch': 0,
      'eval/dot_ndcg@10': 0.5,
      'eval/seconds': 3,
    });
  });
});
