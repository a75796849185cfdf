/** Every verb of `lexray`, in the order of a reader's way through them within each heading of the help. */
import type { Verb } from './verb.ts';
import { doctorVerb } from './verbs/doctor.ts';

/** The verbs. */
export const verbs: readonly Verb[] = [doctorVerb];
