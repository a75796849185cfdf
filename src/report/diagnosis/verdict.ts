/** What the diagnosis concludes, with its reasons, and the correction it proposes. */
import type { Diagnosis } from '../../head/diagnose.ts';
import { rescaleCommand } from '../../head/rescale-command.ts';
import { definitions, htmlTable, paragraph, type Section, section } from '../html.ts';
import { element } from '../markup.ts';
import { formatNumber, noValue } from '../table.ts';

/** The section with the verdicts. */
export function verdictSection(model: string, { verdicts, recipe, proposal, noProposal, earlier }: Diagnosis): Section {
  const correction = proposal?.calibration.correction;
  return section(
    'Verdict',
    htmlTable({
      caption: `For the recipe ${recipe.name}: ${recipe.title}`,
      columns: [{ label: 'Verdict' }, { label: 'Why' }, { label: 'What to do' }],
      rows: verdicts.map(({ title, reason, advice, collapse }) => [
        { text: title, strong: true },
        reason,
        advice ?? (collapse ? 'correct the head, see below' : noValue),
      ]),
    }),
    definitions([
      ['Loss', recipe.loss === 'info-nce' ? `InfoNCE at temperature ${recipe.temperature}` : "by a teacher's scores"],
      ['Learning rate', String(recipe.learningRate)],
      ['λq, λd', `${recipe.queryRegularizerWeight}, ${recipe.documentRegularizerWeight}`],
      ['Batch, steps', `${recipe.batchSize}, ${formatNumber(recipe.steps, 0)}`],
      ['Source', recipe.source],
    ]),
    ...(proposal && correction
      ? [
          paragraph('Proposed: ', element('code', {}, rescaleCommand(model, 'OUT', correction))),
          paragraph(
            `Found by ${proposal.calibration.statistic}${proposal.calibration.target === undefined ? '' : ` with the target ${proposal.calibration.target}`}: ${proposal.calibration.origin}.`,
          ),
          ...(proposal.remaining === undefined
            ? []
            : [paragraph(`Even so the head ${proposal.remaining.title}: ${proposal.remaining.reason}`)]),
        ]
      : []),
    ...(noProposal === undefined ? [] : [paragraph(`No correction is proposed: ${noProposal}.`)]),
    ...(earlier.length > 0
      ? [
          paragraph(
            `This head was corrected before: ${earlier
              .map(
                ({ arm, factor, shift }) =>
                  `arm ${arm}, k = ${Number(factor.toPrecision(4))}${arm === 'D' ? `, c = ${Number(shift.toPrecision(4))}` : ''}`,
              )
              .join('; ')}.`,
          ),
        ]
      : []),
  );
}
