/** The file of results: torn, damaged, foreign and recompressed. */
import { appendFile, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseDesign, type StudyDesign } from './design.ts';
import { fakeDesign, fakeRun } from './fake-study.suite.ts';
import { readResults } from './results-file.ts';
import { type RunCell, runStudy } from './runner.ts';

let root = '';
let design: StudyDesign;
let runs: string[] = [];
let path = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'lexray results '));
  design = await parseDesign(fakeDesign);
});
afterAll(() => rm(root, { recursive: true, force: true }));
let files = 0;
beforeEach(() => {
  runs = [];
  path = join(root, `results ${files++}.jsonl`);
});

const fake: RunCell = (settings, cell) => {
  runs.push(cell.id);
  return fakeRun(settings, cell);
};

/** With a byte of its checksum changed. */
function damaged(member: Buffer): Buffer {
  member[member.length - 5]! ^= 0xff;
  return member;
}

describe('the file of results', () => {
  const tear = async (end: string, cut: number): Promise<void> => {
    path += end;
    await runStudy(design, fake, { results: path, limit: 3 });
    const { length } = await readFile(path);
    await truncate(path, length - cut);
  };

  it.each([
    ['.gz', 1],
    ['.gz', 5],
    ['.gz', 150],
    ['', 2],
    ['', 40],
  ])('loses a torn last line only, and mends it with the next: %s cut by %i', async (end, cut) => {
    await tear(end, cut);
    const warnings: string[] = [];
    expect(await readResults(path, { onWarning: (message) => warnings.push(message) })).toHaveLength(2);
    expect(warnings).toEqual([`${path}: the last line is torn and is left out`]);
    const state = await runStudy(design, fake, { results: path, limit: 2 });
    expect(state.lines).toHaveLength(4);
    expect(await readResults(path)).toEqual(state.lines);
    expect(new Set(runs).size).toBe(4);
  });

  it('keeps lines when bytes that are no line follow them', async () => {
    await tear('.gz', 0);
    await appendFile(path, Buffer.from([0x1f, 0x8b, 0x08, 0, 0, 0]));
    expect(await readResults(path)).toHaveLength(3);
    expect((await runStudy(design, fake, { results: path, limit: 1 })).lines).toHaveLength(4);
  });

  it.each(['.gz', ''])('refuses damage before whole lines, and leaves the file alone %s', async (end) => {
    await tear(end, 0);
    const bytes = await readFile(path);
    const before = Buffer.from(bytes);
    before[end === '' ? 5 : 40]! ^= 0xff;
    await writeFile(path, before);
    await expect(readResults(path)).rejects.toMatchObject({ code: 'BAD_INPUT' });
    await expect(runStudy(design, fake, { results: path })).rejects.toMatchObject({ code: 'BAD_INPUT' });
    expect(await readFile(path)).toEqual(before);
  });

  it('keeps a whole last line without its newline, and ends it with the next', async () => {
    await tear('', 1);
    const warnings: string[] = [];
    expect(await readResults(path, { onWarning: (message) => warnings.push(message) })).toHaveLength(3);
    expect(warnings).toEqual([]);
    const state = await runStudy(design, fake, { results: path, limit: 1 });
    expect(state.lines).toHaveLength(4);
    expect(await readResults(path)).toEqual(state.lines);
    expect(runs).toHaveLength(4);
  });

  it.each([
    ['with a name', [8, 'r.jsonl\0']],
    ['with every field', [31, '\u0003\0abcr.jsonl\0comment\0xx']],
  ] as const)(
    'reads lines that were compressed again in one member %s, and goes on behind it',
    async (_, [flags, fields]) => {
      await runStudy(design, fake, { results: path, limit: 3 });
      const whole = gzipSync((await readFile(path, 'utf8')).trimEnd());
      whole[3] = flags;
      path += '.GZ';
      await writeFile(path, Buffer.concat([whole.subarray(0, 10), Buffer.from(fields), whole.subarray(10)]));
      const state = await runStudy(design, fake, { results: path, limit: 2 });
      expect(state.lines).toHaveLength(5);
      expect(await readResults(path)).toEqual(state.lines);
      expect(runs).toHaveLength(5);
    },
  );

  const line = '{"schema":1,"study":"fake","id":"0123456789abcdef"';
  it.each([
    ['an image', '', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 1, 2])],
    ['notes of one line', '', Buffer.from('{"todo":"buy milk"}')],
    ['notes of one line that are cut', '', Buffer.from('{"todo":"buy')],
    ['lines that are not compressed', '.gz', Buffer.from(`${line}}\n`)],
    ['another gzip file', '.gz', gzipSync('some text\n')],
    ['the begin of another gzip file', '.gz', gzipSync('some text').subarray(0, -3)],
    ['several lines in one member that is cut', '.gz', gzipSync(`${line}}\n${line}}\n`).subarray(0, -1)],
    ['a member that is damaged', '.gz', damaged(gzipSync(`${line}}\n`))],
  ])('refuses %s, and leaves it alone', async (_, end, bytes) => {
    path += end;
    await writeFile(path, bytes);
    await expect(readResults(path)).rejects.toMatchObject({ code: 'BAD_INPUT', cure: expect.any(String) as string });
    await expect(runStudy(design, fake, { results: path })).rejects.toMatchObject({ code: 'BAD_INPUT' });
    expect(await readFile(path)).toEqual(bytes);
    expect(runs).toEqual([]);
  });

  it('begins anew where only the begin of a first line is', async () => {
    await writeFile(path, line);
    expect((await runStudy(design, fake, { results: path, limit: 1 })).lines).toHaveLength(1);
    expect(await readResults(path)).toHaveLength(1);
  });

  it('refuses lines that are none', async () => {
    await writeFile(path, '{"schema":1}\n');
    await expect(readResults(path)).rejects.toThrow(/not a line of results: study/);
    await writeFile(path, 'x\n');
    await expect(readResults(path)).rejects.toMatchObject({ where: `${path}:1` });
    expect(await readResults(join(root, 'nothing.jsonl'))).toEqual([]);
  });
});
