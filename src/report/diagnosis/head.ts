/** The head itself: its row norms, its bias, and the logits it gives. */
import type { Diagnosis } from '../../head/diagnose.ts';
import type { Spread } from '../../head/head-statistics.ts';
import { definitions, figure, figures, type Section, section } from '../html.ts';
import { binValues } from '../plot/marks/histogram.ts';
import { plot } from '../plot/plot.ts';
import { formatNumber } from '../table.ts';
import { compact } from './vectors.ts';

/** The section about the weights and their logits. */
export function headSection({
  head,
  tokenLogits,
  exactDeviation,
  observed,
  vocabularySize,
  tokenizerSize,
}: Diagnosis): Section {
  const { norm, location } = head;
  const words = ({ mean, std, min, max }: Spread): string =>
    `mean ${compact(mean)}, standard deviation ${compact(std)}, ${compact(min)} to ${compact(max)}`;
  return section(
    'Head',
    figures(
      figure(
        plot({
          title: 'Row norms of the decoder',
          description: `The mean norm is ${compact(norm.mean)}, the largest ${compact(norm.max)}.`,
          x: { label: '‖w‖ of a term' },
          y: { label: 'terms' },
          marks: [
            { type: 'histogram', bins: binValues(head.rowNorms, { count: 48 }) },
            { type: 'rule', axis: 'x', at: norm.mean, text: `mean ${compact(norm.mean)}` },
          ],
          standalone: false,
          height: 280,
        }),
        'In arXiv 2606.18811 backbones with a mean above 2 failed at k = 1, and those below worked.',
      ),
      figure(
        plot({
          title: 'Logits of tokens',
          description: `A share of ${compact(observed.tokenActivation)} is above 0.`,
          x: { label: 'z of a token and a term' },
          y: { label: 'logits' },
          marks: [
            { type: 'histogram', bins: tokenLogits.bins },
            { type: 'rule', axis: 'x', at: 0, text: `P(z > 0) = ${compact(observed.tokenActivation)}` },
          ],
          standalone: false,
          height: 280,
        }),
        'What is above 0 is active before pooling. The outermost bins hold everything beyond them.',
      ),
    ),
    definitions([
      [
        'Decoder',
        `${location.decoder}, ${formatNumber(vocabularySize, 0)} × ${location.width}, ${location.tied ? 'tied to the word embeddings' : 'not tied'}`,
      ],
      ['Row norms', words(norm)],
      ['Anisotropy (mean cosine of two rows)', compact(head.anisotropy)],
      ['Output bias', head.bias === undefined ? 'none' : words(head.bias)],
      ['LayerNorm γ', words(head.gamma)],
      ...(head.beta === undefined ? [] : ([['LayerNorm β', words(head.beta)]] as const)),
      [
        'Deviation of a term’s logit over tokens',
        `${compact(exactDeviation)} (closed form from the checkpoint: ${compact(head.closedFormDeviation)})`,
      ],
      ['Rows of zeros, repeated rows', `${head.zeroRows}, ${head.repeatedRows}`],
      ['Tokens of the tokenizer', formatNumber(tokenizerSize, 0)],
    ]),
  );
}
