/** Layer normalisation and softmax. */
import { aroundAxis, axisOf, expect, float, input, integer, type Kernel, type Kernels } from './kernel.ts';
import { sizeOf } from './tensor.ts';

/** (x − mean)/√(var + ε) · weight + bias over the axes from `axis` on; also returns mean and 1/√(var + ε). */
const layerNormalization: Kernel = {
  attributes: ['axis', 'epsilon', 'stash_type'],
  compute: (call) => {
    const { node } = call;
    const [x, weight, bias] = [input(call, 0), input(call, 1), call.inputs[2]];
    const axis = axisOf(node, integer(node, 'axis', -1), x.dims.length);
    const epsilon = float(node, 'epsilon', 1e-5);
    const features = sizeOf(x.dims.slice(axis));
    const fits = weight.data.length === features && (bias === undefined || bias.data.length === features);
    expect(node, fits, `weight and bias of ${features} elements expected, got [${weight.dims}] and [${bias?.dims}]`);
    const groups = sizeOf(x.dims.slice(0, axis));
    const y = new Float64Array(x.data.length);
    const means = new Float64Array(groups);
    const inverseDeviations = new Float64Array(groups);
    for (let group = 0; group < groups; group++) {
      const row = x.data.subarray(group * features, (group + 1) * features);
      const mean = row.reduce((sum, value) => sum + value, 0) / features;
      const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / features;
      const inverse = 1 / Math.sqrt(variance + epsilon);
      means[group] = mean;
      inverseDeviations[group] = inverse;
      row.forEach((value, i) => {
        y[group * features + i] = (value - mean) * inverse * weight.data[i]! + (bias?.data[i] ?? 0);
      });
    }
    const dims = x.dims.map((dim, i) => (i < axis ? dim : 1));
    return [
      { dtype: x.dtype, dims: x.dims, data: y },
      { dtype: 'float32', dims, data: means },
      { dtype: 'float32', dims, data: inverseDeviations },
    ];
  },
};

function alongAxis(transform: (values: readonly number[]) => readonly number[]): Kernel {
  return {
    attributes: ['axis'],
    compute: (call) => {
      const x = input(call, 0);
      const { outer, size, inner } = aroundAxis(
        x.dims,
        axisOf(call.node, integer(call.node, 'axis', -1), x.dims.length),
      );
      const data = new Float64Array(x.data.length);
      for (let o = 0; o < outer; o++) {
        for (let i = 0; i < inner; i++) {
          const position = (k: number): number => (o * size + k) * inner + i;
          transform(Array.from({ length: size }, (_, k) => x.data[position(k)]!)).forEach((value, k) => {
            data[position(k)] = value;
          });
        }
      }
      return [{ dtype: x.dtype, dims: x.dims, data }];
    },
  };
}

function logSoftmax(values: readonly number[]): readonly number[] {
  const largest = Math.max(...values);
  const total = Math.log(values.reduce((sum, value) => sum + Math.exp(value - largest), 0));
  return values.map((value) => value - largest - total);
}

function softmax(values: readonly number[]): readonly number[] {
  const largest = Math.max(...values);
  const powers = values.map((value) => Math.exp(value - largest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

export const normalizationKernels: Kernels = {
  LayerNormalization: layerNormalization,
  Softmax: alongAxis(softmax),
  LogSoftmax: alongAxis(logSoftmax),
};
