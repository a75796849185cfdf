/** Matrix products in all their forms, linear layers, tied weights. */
import { Concat, Gather, Linear, MatMul, sliceRows, splitBlocks, Tanh } from '../../../src/compute/graph/ops/index.ts';
import { type OpCase, smooth } from '../op-case.ts';

function product(lead: readonly number[], transA: boolean, transB: boolean, alpha: number): OpCase {
  const title = `[${lead}] lead, ${transA ? 'aᵀ' : 'a'}·${transB ? 'bᵀ' : 'b'}, factor ${alpha}`;
  return smooth('MatMul', title, (inputs) => {
    const a = inputs.variable('a', [...lead, ...(transA ? [4, 2] : [2, 4])]);
    const b = inputs.variable('b', [...lead, ...(transB ? [3, 4] : [4, 3])]);
    return MatMul(a, b, { transA, transB, alpha });
  });
}

/** All cases of the family. */
export const linearAlgebraCases: readonly OpCase[] = [
  ...[[], [2], [2, 3]].flatMap((lead) =>
    [false, true].flatMap((transA) =>
      [false, true].flatMap((transB) => [1, 0.375].map((alpha) => product(lead, transA, transB, alpha))),
    ),
  ),
  smooth('MatMul', 'a matrix with itself', (inputs) => {
    const a = inputs.variable('a', [3, 3]);
    return [MatMul(a, a), MatMul(a, a, { transB: true })];
  }),
  smooth('MatMul', 'rows of unknown number', (inputs) => MatMul(inputs.rows(4, 3), inputs.variable('b', [3, 2]))),
  smooth('MatMul', 'no rows', (inputs) =>
    MatMul(inputs.rows(0, 3), inputs.variable('b', [2, 3]), { transB: true, alpha: 0.5 }),
  ),
  ...[0, 1, 4].flatMap((count) => [
    smooth('Linear', `${count} rows with bias`, (inputs) =>
      Linear(inputs.rows(count, 3), inputs.variable('weight', [2, 3]), inputs.variable('bias', [2])),
    ),
    smooth('Linear', `${count} rows without bias`, (inputs) =>
      Linear(inputs.rows(count, 3), inputs.variable('weight', [2, 3])),
    ),
  ]),
  smooth('Linear', 'on a variable', (inputs) =>
    Linear(inputs.variable('x', [4, 3]), inputs.variable('weight', [2, 3]), inputs.variable('bias', [2])),
  ),
  ...[5, 2].map((count) =>
    smooth('splitBlocks Linear Concat', `a layer on ${count} rows in 4 blocks`, (inputs) => {
      const weight = inputs.variable('weight', [2, 3]);
      const bias = inputs.variable('bias', [2]);
      const parts = splitBlocks(Tanh(inputs.rows(count, 3)), 4).map((block) => Linear(block, weight, bias));
      return Concat(parts, 0, 'N');
    }),
  ),
  smooth('Linear Gather', 'one weight as table and as layer (tied)', (inputs) => {
    const weight = inputs.variable('weight', [5, 3]);
    return Linear(Gather(weight, inputs.indices([4, 0, 4])), weight, inputs.variable('bias', [5]));
  }),
  smooth('sliceRows Linear Gather', 'tiles of a tied weight', (inputs) => {
    const weight = inputs.variable('weight', [5, 3]);
    const bias = inputs.variable('bias', [5]);
    const hidden = Tanh(Gather(weight, inputs.indices([4, 0, 4, 1])));
    const tiles = [0, 2, 4].map((start) => {
      const end = Math.min(5, start + 2);
      return Linear(hidden, sliceRows(weight, start, end), sliceRows(bias, start, end));
    });
    return Concat(tiles, 1, 5);
  }),
];
