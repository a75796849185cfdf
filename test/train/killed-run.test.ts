/** Training runs of the built program that are killed or interrupted, and go on with --resume. */
import { existsSync, readdirSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lexray, type Outcome, type RunOptions, temporaryFolder } from '../cli/run-lexray.ts';
import { tinyModel } from '../fixtures/model-folders.ts';
import { weightsHash, writeTrainingFolder } from './training-data.ts';

// A process that starts on a busy machine takes its time.
const seconds = 180;

describe.skipIf(process.platform === 'win32')('a training run', { timeout: 4 * seconds * 1000 }, () => {
  let folder = '';
  let wanted = '';
  const at = (...parts: readonly string[]): string => join(folder, ...parts);

  function train(output: string, args: readonly string[] = [], options: RunOptions = {}): Promise<Outcome> {
    const settings = ['--epochs', '6', '--batch-size', '5', '--save-every', '1'];
    const all = ['finetune', tinyModel, '--data', 'beir', '-o', output, ...settings, ...args];
    return lexray(all, { cwd: folder, seconds, ...options });
  }

  /** The step of the newest checkpoint. */
  function checkpoint(output: string): number {
    if (!existsSync(at(`${output}.training`))) return 0;
    const names = readdirSync(at(`${output}.training`));
    return Math.max(0, ...names.map((name) => Number(/^checkpoint-(\d+)$/.exec(name)?.[1] ?? 0)));
  }

  beforeAll(async () => {
    folder = await temporaryFolder();
    await writeTrainingFolder(at('beir'));
    const { code, stderr } = await train('whole');
    expect(code, stderr).toBe(0);
    wanted = await weightsHash(at('whole'));
  }, seconds * 1000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('that is killed at any moment goes on as if nothing had been', async () => {
    const moment = 1 + Math.floor(Math.random() * 12);
    const killed = await train('killed', [], {
      interruptWhen: () => checkpoint('killed') >= moment,
      signal: 'SIGKILL',
    });
    expect(killed.code, `killed after step ${moment}`).toBeNull();
    expect(existsSync(at('killed'))).toBe(false);
    const resumed = await train('killed', ['--resume']);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(await weightsHash(at('killed')), `killed after step ${moment}`).toBe(wanted);
    const left = (await readdir(at('killed.training'))).filter((name) => !name.startsWith('events.out.tfevents.'));
    expect(left.sort()).toEqual(['config.json', 'head.json', 'metrics.jsonl', 'recipe.yaml']);
  });

  it('that is interrupted says how to go on, exits with 130, and goes on', async () => {
    const stopped = await train('stopped', [], { interruptWhen: () => checkpoint('stopped') >= 2 });
    expect(stopped.stderr.trimEnd().split('\n').at(-1)).toMatch(/^error: interrupted after step \d+ of 24.*--resume/);
    expect({ code: stopped.code, stdout: stopped.stdout }).toEqual({ code: 130, stdout: '' });
    expect(existsSync(at('stopped'))).toBe(false);
    const inTheWay = await train('stopped');
    expect(inTheWay.stderr).toContain('--resume');
    expect(inTheWay.code).toBe(2);
    const changed = await train('stopped', ['--resume', '--temperature', '2']);
    expect(changed.stderr).toContain('temperature (was 1, is 2)');
    expect(changed.code).toBe(3);
    const resumed = await train('stopped', ['--resume']);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(await weightsHash(at('stopped'))).toBe(wanted);
  });
});
