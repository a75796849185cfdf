/** What to do about a run that has collapsed: what `diagnose` proposes, where it does, and what else helps against its kind. */
import type { CollapseKind, GuardAlarm, Side } from './guard-state.ts';

const cures: Readonly<Record<CollapseKind, (side: Side | undefined) => string>> = {
  dense: (side) => `raise the regularizer weight of ${side}`,
  dead: (side) => `lower the regularizer weight of ${side} or the learning rate, or lengthen the ramp`,
  constant: () => 'lower the learning rate, or start from a head that tells texts apart',
  chance: () => 'divide its logits by more (--calibrate), raise the learning rate, or train longer',
  'not-finite': () => 'lower the learning rate',
};

/**
 * The cure, in words.
 * @param proposal the command that corrects the head of the model that the run started from
 */
export function collapseCure({ kind, side }: GuardAlarm, proposal: string | undefined): string {
  const head =
    proposal === undefined
      ? 'see what lexray diagnose says of the model that the run started from'
      : `correct the head, as lexray diagnose proposes: ${proposal}`;
  const others = kind === 'not-finite' ? '' : '; --guard warn goes on regardless';
  return `${head}; or ${cures[kind](side)}${others}`;
}
