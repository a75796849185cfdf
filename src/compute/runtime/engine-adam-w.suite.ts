/** The conformance suite of engines: AdamW, against the closed form and a computation apart from the engines. */
import { describe, expect, it } from 'vitest';
import { addGradients } from '../graph/autodiff.ts';
import { Graph } from '../graph/graph.ts';
import { Add, Mul, sumAll } from '../graph/ops/index.ts';
import type { AdamWStep, Engine } from './engine.ts';
import { float32, linearLoss, plainStep, specs } from './engine-fixtures.suite.ts';

/** AdamW as its paper and PyTorch state it, for one number, written apart from the engines. */
function adamWByHand(start: number, gradients: readonly number[], step: AdamWStep, decay: number): number[] {
  let [w, m, v] = [start, 0, 0];
  return gradients.map((g, i) => {
    m += (1 - step.beta1) * (g - m);
    v += (1 - step.beta2) * (g * g - v);
    w *= 1 - step.learningRate * decay;
    const denominator = Math.sqrt(v) / Math.sqrt(1 - step.beta2 ** (i + 1)) + step.epsilon;
    w -= (step.learningRate / (1 - step.beta1 ** (i + 1))) * (m / denominator);
    return w;
  });
}

/** AdamW of an engine. */
export function describeAdamW(engine: () => Engine): void {
  describe('AdamW', () => {
    it('moves by the learning rate against the sign of the gradient in the first step', async () => {
      // m/(1 − β₁) = g and v/(1 − β₂) = g², so the step is lr·g/|g|.
      await engine().createVariables(specs({ w: [3] }));
      await engine().writeVariable('w', 'gradient', Float32Array.of(0.5, -20, 0));
      const { gradientNorm } = await engine().adamW(plainStep);
      expect(gradientNorm).toBeCloseTo(Math.hypot(0.5, 20), 4);
      const value = await engine().readVariable('w', 'value');
      expect(value[0]).toBeCloseTo(-0.1, 6);
      expect(value[1]).toBeCloseTo(0.1, 6);
      expect(value[2]).toBe(0);
      const first = await engine().readVariable('w', 'firstMoment');
      const second = await engine().readVariable('w', 'secondMoment');
      [0.05, -2, 0].forEach((moment, i) => {
        expect(first[i]).toBeCloseTo(moment, 6);
      });
      expect(Math.abs(second[0]! / 0.00025 - 1)).toBeLessThan(1e-6);
      expect(Math.abs(second[1]! / 0.4 - 1)).toBeLessThan(1e-6);
      expect(second[2]).toBe(0);
    });

    it('follows the closed form over several steps, with decay but for the variables without it', async () => {
      const step: AdamWStep = { ...plainStep, learningRate: 0.01, weightDecay: 0.1, withoutDecay: new Set(['bias']) };
      const starts = Float32Array.of(1, -2, 0.5, 3, -0.25);
      await engine().createVariables(specs({ weight: [5], bias: [5] }));
      const gradients = [0.3, -1.5, 2, 0.01, -0.7, 0.4];
      const scales = [1, -1, 10, 0.001, 0];
      const expected = (decay: number): number[][] =>
        [...starts].map((start, i) =>
          adamWByHand(
            start,
            gradients.map((g) => Math.fround(g * scales[i]!)),
            step,
            decay,
          ),
        );
      for (const name of ['weight', 'bias']) await engine().writeVariable(name, 'value', starts);
      for (const [t, gradient] of gradients.entries()) {
        for (const name of ['weight', 'bias']) {
          const data = Float32Array.from(scales, (scale) => gradient * scale);
          await engine().writeVariable(name, 'gradient', data);
        }
        await engine().adamW({ ...step, step: t + 1 });
        for (const [name, decay] of [
          ['weight', 0.1],
          ['bias', 0],
        ] as const) {
          const value = await engine().readVariable(name, 'value');
          expected(decay).forEach((trajectory, i) => {
            expect(Math.abs(value[i]! - trajectory[t]!)).toBeLessThan(2e-6 * Math.max(1, Math.abs(starts[i]!)));
          });
        }
      }
      expect((await engine().readVariable('bias', 'value'))[4]).toBe(starts[4]);
    });

    it('clips to the global norm over all variables, and says the norm before', async () => {
      await engine().createVariables(specs({ a: [2], b: [1] }));
      await engine().writeVariable('a', 'gradient', Float32Array.of(2, 3));
      await engine().writeVariable('b', 'gradient', Float32Array.of(6));
      const { gradientNorm } = await engine().adamW({ ...plainStep, maxGradientNorm: 0.7 });
      expect(gradientNorm).toBeCloseTo(7, 5);
      const a = await engine().readVariable('a', 'firstMoment');
      const b = await engine().readVariable('b', 'firstMoment');
      [...a, ...b].forEach((moment, i) => {
        expect(moment / (0.1 * 0.1 * [2, 3, 6][i]!)).toBeCloseTo(1, 5);
      });
      expect(await engine().readVariable('a', 'gradient')).toEqual(Float32Array.of(2, 3));
    });

    it('multiplies the learning rate of variables with a factor, and their decay with it', async () => {
      const step: AdamWStep = { ...plainStep, weightDecay: 0.5, learningRateFactors: new Map([['fast', 4]]) };
      await engine().createVariables(specs({ fast: [1], slow: [1] }));
      for (const name of ['fast', 'slow']) {
        await engine().writeVariable(name, 'value', Float32Array.of(10));
        await engine().writeVariable(name, 'gradient', Float32Array.of(3));
      }
      await engine().adamW(step);
      const [fast] = adamWByHand(10, [3], { ...step, learningRate: 0.4 }, 0.5);
      const [slow] = adamWByHand(10, [3], step, 0.5);
      expect((await engine().readVariable('fast', 'value'))[0]).toBeCloseTo(fast!, 5);
      expect((await engine().readVariable('slow', 'value'))[0]).toBeCloseTo(slow!, 5);
    });

    it('leaves gradients below the limit as they are', async () => {
      await engine().createVariables(specs({ w: [1] }));
      await engine().writeVariable('w', 'gradient', Float32Array.of(0.5));
      await engine().adamW({ ...plainStep, maxGradientNorm: 0.6 });
      expect((await engine().readVariable('w', 'firstMoment'))[0]).toBeCloseTo(0.05, 7);
    });

    it('touches only variables that have a gradient', async () => {
      const names = ['w', 'idle'];
      await engine().createVariables([
        ...specs({ w: [1], idle: [1] }),
        { name: 'frozen', dims: [1], trainable: false },
      ]);
      for (const name of [...names, 'frozen']) await engine().writeVariable(name, 'value', Float32Array.of(1));
      const program = await linearLoss(engine(), 'w', 1);
      await program.run({ x: float32([1], [2]) });
      const { gradientNorm } = await engine().adamW({ ...plainStep, weightDecay: 0.5 });
      expect(gradientNorm).toBe(2);
      expect((await engine().readVariable('w', 'value'))[0]).toBeCloseTo(0.95 - 0.1, 6);
      for (const name of ['idle', 'frozen']) {
        expect(await engine().readVariable(name, 'value')).toEqual(Float32Array.of(1));
      }
    });

    it('changes nothing when the gradient is not finite', async () => {
      await engine().createVariables(specs({ w: [2], v: [1] }));
      await engine().writeVariable('w', 'value', Float32Array.of(1, 2));
      await engine().writeVariable('v', 'gradient', Float32Array.of(1));
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
        await engine().writeVariable('w', 'gradient', Float32Array.of(1, bad));
        const { gradientNorm } = await engine().adamW({ ...plainStep, weightDecay: 0.1, maxGradientNorm: 1 });
        expect(Number.isFinite(gradientNorm)).toBe(false);
        expect(await engine().readVariable('w', 'value')).toEqual(Float32Array.of(1, 2));
        expect(await engine().readVariable('w', 'secondMoment')).toEqual(new Float32Array(2));
        expect(await engine().readVariable('v', 'firstMoment')).toEqual(new Float32Array(1));
      }
    });

    it('lowers a loss when it is repeated', async () => {
      await engine().createVariables(specs({ w: [4] }));
      await engine().writeVariable('w', 'value', Float32Array.of(1, -1, 2, 0.5));
      const graph = new Graph();
      const distance = Add(graph.variable('w', [4]), graph.feed('x', 'float32', [4]));
      const loss = sumAll(Mul(distance, distance));
      graph.output('loss', loss);
      addGradients(graph, loss);
      const program = await engine().compile(graph);
      const losses: number[] = [];
      for (let step = 1; step <= 40; step++) {
        const result = await program.run({ x: float32([4], [-0.5, 0.5, -1, 0]) });
        losses.push(Number(result.loss!.data[0]));
        await engine().adamW({ ...plainStep, step, learningRate: 0.05 });
      }
      expect(losses[0]).toBeCloseTo(1.75, 6);
      expect(losses.at(-1)).toBeLessThan(0.05);
    });
  });
}
