/** Where the training data of a run were read from, as the user named it: kept with the settings, and not compared with them. */
import { z } from 'zod';

/** Paths of the options of `readTrainingExamples`. */
export interface DataSources {
  readonly data: string;
  readonly corpus?: string | undefined;
  readonly queries?: string | undefined;
  readonly teacherScores?: string | undefined;
}

/** The schema of {@link DataSources}, for what comes back from a file. */
export const dataSourcesSchema: z.ZodType<DataSources> = z.strictObject({
  data: z.string(),
  corpus: z.string().optional(),
  queries: z.string().optional(),
  teacherScores: z.string().optional(),
});
