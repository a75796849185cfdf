/** `lexray doctor`: is this installation complete? Says what is missing and how to mend it; about a model, see `diagnose`. */
import { z } from 'zod';
import { LexrayError } from '../../util/errors.ts';
import { lexrayVersion } from '../../util/version.ts';
import { checkInstallation, checkSchema } from '../installation.ts';
import { defineVerb, type Verb } from '../verb.ts';

export const doctorVerb: Verb = defineVerb({
  name: 'doctor',
  group: 'Installation:',
  summary: 'check the installation and say how to mend it',
  arguments: {},
  options: {},
  examples: ['lexray doctor', 'lexray doctor --json'],
  result: z.strictObject({
    /** No check ended in `error`. */
    ok: z.boolean(),
    checks: z.array(checkSchema),
  }),
  async run(_settings, { threads }) {
    const checks = await checkInstallation(threads);
    const broken = checks.filter((check) => check.status === 'error');
    const signs = { ok: '✓', warning: '!', error: '✗' };
    const width = Math.max(...checks.map((check) => check.name.length));
    const lines = checks.flatMap(({ name, status, found, cure }) => [
      `${signs[status]} ${name.padEnd(width)}  ${found}`,
      ...(cure === undefined ? [] : [`  ${' '.repeat(width)}  → ${cure}`]),
    ]);
    return {
      data: { ok: broken.length === 0, checks: [...checks] },
      text: [`lexray ${lexrayVersion}`, ...lines].join('\n'),
      ...(broken.length > 0 && {
        failure: new LexrayError(
          'FAILED',
          `the installation is not complete: ${broken.map((c) => c.name).join(', ')}`,
          {
            cure: broken[0]!.cure ?? 'install lexray again',
          },
        ),
      }),
    };
  },
});
