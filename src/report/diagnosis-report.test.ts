/** The page of a diagnosis, made of a real one of the tiny model, with hostile words put in. */
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { tinyModel } from '../../test/fixtures/model-folders.ts';
import { openModelFolder } from '../checkpoint/layouts/model-folder.ts';
import { type Diagnosis, diagnose } from '../head/diagnose.ts';
import { wordTexts } from '../head/word-texts.suite.ts';
import { diagnosisReport } from './diagnosis-report.ts';
import { unbalancedTags } from './unbalanced-tags.suite.ts';

const hostile = '<script>alert(1)</script>"\'&';
let diagnosis: Diagnosis;
let html = '';
const page = (changes: Partial<Diagnosis> = {}): string =>
  diagnosisReport({
    model: hostile,
    diagnosis: { ...diagnosis, ...changes },
    tool: 'lexray 0',
    created: '2026-01-01T00:00:00Z',
  });

beforeAll(async () => {
  const model = await openModelFolder(tinyModel);
  diagnosis = await diagnose(model, { texts: { texts: wordTexts(130), source: hostile }, curves: true, threads: 2 });
  await model.close();
  html = page({ sinkTokens: diagnosis.observed.sinks.map(() => hostile) });
});

describe('diagnosisReport', () => {
  it('is well-formed and escapes every text', () => {
    expect(unbalancedTags(html.replace(/<script>[^<]*<\/script>/, ''))).toEqual([]);
    expect(html.match(/<script>/g)).toHaveLength(1);
    expect(html).not.toContain('alert(1)</script>');
    expect(html).toContain('The head of &lt;script&gt;');
  });

  it('lets only its own script run, and nothing be fetched', () => {
    const script = /<script>([^<]*)<\/script>/.exec(html)![1]!;
    const hash = createHash('sha256').update(script).digest('base64');
    expect(html).toContain(`script-src &#39;sha256-${hash}&#39;`);
    expect(html.replace(/xmlns="http:\/\/www\.w3\.org\/2000\/svg"/g, '')).not.toMatch(/https?:|url\(/);
  });

  it('has a panel for each factor, which the slider runs over', () => {
    expect(html.match(/class="panel"/g)).toHaveLength(19);
    expect(html).toContain('max="18"');
    expect(html).toMatch(/<input id="factor"[^>]* value="4">/);
    for (const k of ['0.25', '1', '128']) expect(html).toContain(`data-k="${k}"`);
  });

  it('shows what was found', () => {
    const { observed, verdicts } = diagnosis;
    expect(html).toContain(verdicts[0]!.title);
    expect(html).toContain(`${observed.sinkCount} terms are active in more than 90 %`);
    for (const heading of ['Row norms of the decoder', 'Logits of tokens', 'Score spread', 'Sink terms']) {
      expect(html).toContain(heading);
    }
    expect(html).toContain('after which 10 % of the logits of tokens are above 0');
  });

  it('does without curves and sinks, and shows a proposal', () => {
    const observed = { ...diagnosis.observed, sinks: [], sinkCount: 0 };
    const calibration = {
      correction: { arm: 'D', factor: 2.5, shift: -1.25 },
      statistic: 'score-spread',
      target: 1,
      origin: 'a constant',
      before: 9,
      after: 1,
    } as const;
    const plain = page({ curves: [], observed, proposal: { calibration, after: observed, remaining: undefined } });
    expect(plain).not.toContain('What a factor would do');
    expect(plain).toContain('No term is active in more than 90 %');
    expect(plain).toContain('--arm D --factor 2.5 --shift -1.25');
    expect(plain).toContain('corrected');
    expect(plain).not.toContain('Even so');
    const remaining = { kind: 'overscaled', title: 'is likely to collapse', reason: 'too large.' } as const;
    const still = page({ curves: [], observed, proposal: { calibration, after: observed, remaining } });
    expect(still).toContain('Even so the head is likely to collapse: too large.');
    expect(page({ noProposal: 'none helps' })).toContain('No correction is proposed: none helps.');
  });
});
