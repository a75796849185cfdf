import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ProgressBar } from './progress-bar.ts';

function bar(
  options: { isTTY?: boolean; env?: Record<string, string>; quiet?: boolean; hidden?: boolean; columns?: number } = {},
) {
  const { isTTY = false, env = {}, quiet = false, hidden = false, columns = 200 } = options;
  const state = { text: '', milliseconds: 0 };
  const stream = {
    isTTY,
    columns,
    write: (text: string): void => {
      state.text += text;
    },
  };
  const progress = new ProgressBar({ stream, env, quiet, hidden, now: () => state.milliseconds });
  const at = (seconds: number, done: number, phase = 'encode', total: number | null = 100): void => {
    state.milliseconds = seconds * 1000;
    progress.update({ phase, done, unit: 'texts', ...(total === null ? {} : { total }) });
  };
  return { state, progress, at };
}

/** What a terminal shows: each redraw replaces the line before. */
function screen(text: string): string[] {
  return text.split('\n').map((line) => line.split('\r\u001B[2K').at(-1)!);
}

describe('progress in a file or pipe', () => {
  it('prints a line each ten seconds, with rate and time left', () => {
    const { state, progress, at } = bar();
    for (let second = 0; second <= 24; second++) at(second, second * 2);
    expect(state.text.trimEnd().split('\n')).toEqual([
      'encode  20 %  20/100 texts  2 texts/s  40.0 s left',
      'encode  40 %  40/100 texts  2 texts/s  30.0 s left',
    ]);
    progress.finish();
    expect(state.text.trimEnd().split('\n')).toHaveLength(3);
  });

  it('says nothing of phases shorter than that', () => {
    const { state, progress, at } = bar();
    at(0, 1);
    at(3, 50);
    at(4, 1, 'search');
    at(6, 100, 'search');
    progress.finish();
    expect(state.text).toBe('');
  });

  it('counts without a total', () => {
    const { state, at } = bar();
    at(0, 0, 'read', null);
    at(10, 50_000, 'read', null);
    expect(state.text).toBe('read  50,000 texts  5,000 texts/s  10.0 s\n');
  });

  it('shows the end of a long phase once', () => {
    const { state, progress, at } = bar();
    at(0, 0);
    at(12, 100);
    at(12, 100);
    progress.finish();
    expect(state.text).toBe('encode  100 %  100/100 texts  8.333 texts/s  12.0 s\n');
  });

  it('rates by what was done since the first event of the phase', () => {
    const { state, at } = bar();
    at(100, 50, 'resume');
    at(110, 60, 'resume');
    expect(state.text).toBe('resume  60 %  60/100 texts  1 texts/s  40.0 s left\n');
  });
});

describe('progress on a terminal', () => {
  it('redraws one line, ten times a second at most, and leaves the last of each phase', () => {
    const { state, progress, at } = bar({ isTTY: true, env: { NO_COLOR: '1' } });
    for (let i = 0; i <= 99; i++) at(i / 100, i);
    expect(state.text.split('\r')).toHaveLength(10);
    at(1, 100);
    at(1.1, 1, 'search');
    progress.finish();
    expect(screen(state.text)).toEqual([
      'encode  ████████████████████  100 %  100/100 texts  100 texts/s  1.0 s',
      'search  ░░░░░░░░░░░░░░░░░░░░  1 %  1/100 texts  0 ms',
      '',
    ]);
  });

  it('starts anew when the same phase comes again', () => {
    const { state, progress, at } = bar({ isTTY: true, env: { NO_COLOR: '1' } });
    at(0, 100);
    at(1, 3);
    at(2, 100);
    progress.finish();
    expect(screen(state.text)).toHaveLength(3);
  });

  it('keeps warnings on lines of their own', () => {
    const { state, progress, at } = bar({ isTTY: true, env: { NO_COLOR: '1' } });
    at(0, 1);
    progress.warn('a text is empty');
    at(1, 2);
    progress.finish();
    const lines = screen(state.text);
    expect(lines[0]).toBe('warning: a text is empty');
    expect(lines[1]).toContain('2/100');
  });

  it('colours unless NO_COLOR is set', () => {
    const color = '\u001B[3';
    const colored = bar({ isTTY: true });
    colored.at(0, 50);
    expect(colored.state.text).toContain(color);
    const plain = bar({ isTTY: true, env: { NO_COLOR: '1' } });
    plain.at(0, 50);
    expect(plain.state.text).not.toContain(color);
  });

  it('never wraps', () => {
    const { state, at } = bar({ isTTY: true, columns: 30 });
    at(0, 50);
    expect(stripVTControlCharacters(state.text)).toHaveLength(29);
  });

  it.each([{ CI: 'true' }, { TERM: 'dumb' }])('is as in a file with %o', (env) => {
    const { state, at } = bar({ isTTY: true, env });
    at(0, 1);
    at(1, 2);
    expect(state.text).toBe('');
  });
});

describe('silence', () => {
  it('--quiet hides progress and warnings', () => {
    const { state, progress, at } = bar({ isTTY: true, quiet: true });
    at(0, 1);
    progress.warn('x');
    progress.finish();
    expect(state.text).toBe('');
  });

  it('--json hides progress only', () => {
    const { state, progress, at } = bar({ isTTY: true, hidden: true, env: { NO_COLOR: '1' } });
    at(0, 1);
    progress.warn('x');
    progress.finish();
    expect(state.text).toBe('warning: x\n');
  });
});
