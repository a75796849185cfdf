/** The conformance suite of engines: variables. */
import { describe, expect, it } from 'vitest';
import type { Engine } from './engine.ts';
import { failure, parts, specs } from './engine-fixtures.suite.ts';

/** Variables of an engine: written, read, refused. */
export function describeVariables(engine: () => Engine): void {
  describe('variables', () => {
    it('start at zero, in all parts', async () => {
      await engine().createVariables(specs({ w: [2, 3] }));
      for (const part of parts) expect(await engine().readVariable('w', part)).toEqual(new Float32Array(6));
    });

    it('come back as they were written, each part and variable by itself', async () => {
      await engine().createVariables(specs({ a: [5], b: [], c: [1, 1, 3] }));
      const written = new Map<string, Float32Array>();
      for (const [i, variable] of ['a', 'b', 'c'].entries()) {
        for (const [j, part] of parts.entries()) {
          const length = [5, 1, 3][i]!;
          const data = Float32Array.from({ length }, (_, k) => 100 * i + 10 * j + k + 0.1);
          written.set(`${variable} ${part}`, data);
          await engine().writeVariable(variable, part, data);
        }
      }
      for (const variable of ['a', 'b', 'c']) {
        for (const part of parts) {
          expect(await engine().readVariable(variable, part)).toEqual(written.get(`${variable} ${part}`));
        }
      }
    });

    it('are copied in and out', async () => {
      await engine().createVariables(specs({ w: [2] }));
      const data = Float32Array.of(1, 2);
      const writing = engine().writeVariable('w', 'value', data);
      data.fill(9);
      await writing;
      const read = await engine().readVariable('w', 'value');
      expect(read).toEqual(Float32Array.of(1, 2));
      read.fill(9);
      expect(await engine().readVariable('w', 'value')).toEqual(Float32Array.of(1, 2));
    });

    it('are taken from views into larger arrays, shared ones too, and leave these usable', async () => {
      await engine().createVariables(specs({ w: [2] }));
      const large = Float32Array.of(9, 1, 2, 9);
      await engine().writeVariable('w', 'value', large.subarray(1, 3));
      expect(await engine().readVariable('w', 'value')).toEqual(Float32Array.of(1, 2));
      expect(large).toEqual(Float32Array.of(9, 1, 2, 9));
      const shared = new Float32Array(new SharedArrayBuffer(8));
      shared.set([5, 6]);
      await engine().writeVariable('w', 'value', shared);
      expect(await engine().readVariable('w', 'value')).toEqual(Float32Array.of(5, 6));
    });

    it('without training keep a value only', async () => {
      await engine().createVariables([{ name: 'frozen', dims: [2], trainable: false }]);
      await engine().writeVariable('frozen', 'value', Float32Array.of(1, 2));
      expect(await engine().readVariable('frozen', 'value')).toEqual(Float32Array.of(1, 2));
      for (const part of parts.slice(1)) {
        expect((await failure(engine().readVariable('frozen', part))).message).toContain('frozen is not trainable');
        expect((await failure(engine().writeVariable('frozen', part, Float32Array.of(1, 2)))).message).toContain(
          'frozen is not trainable',
        );
      }
    });

    it('are refused under an unknown name, at a wrong length, and when declared twice', async () => {
      await engine().createVariables(specs({ w: [2] }));
      expect((await failure(engine().readVariable('v', 'value'))).message).toBe('unknown variable v');
      expect((await failure(engine().writeVariable('v', 'value', new Float32Array(2)))).message).toBe(
        'unknown variable v',
      );
      const long = await failure(engine().writeVariable('w', 'value', new Float32Array(3)));
      expect(long.message).toBe('variable w: 2 elements expected, got 3');
      expect((await failure(engine().createVariables(specs({ v: [1] })))).message).toContain('created already');
      expect(await engine().readVariable('w', 'value')).toEqual(new Float32Array(2));
    });

    it('need names of their own', async () => {
      const twice = [...specs({ w: [2] }), ...specs({ w: [3] })];
      expect((await failure(engine().createVariables(twice))).message).toBe('variable w is declared twice');
    });
  });
}
