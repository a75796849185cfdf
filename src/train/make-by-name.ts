/** Parts of a training run by the names that recipes and flags use: an unknown name is answered with those there are, options are checked. */
import type { z } from 'zod';
import { closest } from '../util/closest.ts';
import { LexrayError } from '../util/errors.ts';
import { complaintOf } from '../util/schema-complaint.ts';

/** How to make a part from options as a recipe gives them. */
export type MakePart<T> = (options: unknown, where: string) => T;

/** A maker that checks its options first. */
export function checkedMaker<Options, T>(schema: z.ZodType<Options>, make: (options: Options) => T): MakePart<T> {
  return (options, where) => {
    const parsed = schema.safeParse(options);
    if (parsed.success) return make(parsed.data);
    const [issue] = parsed.error.issues;
    const complaint = complaintOf(issue!, options);
    throw new LexrayError('CONFIG', `${[where, ...issue!.path].join('.')}: ${complaint}`, { cure: 'mend the setting' });
  };
}

/**
 * Makes a part by name.
 * @param kind what is made, for messages: 'loss'
 * @throws LexrayError CONFIG when there is no such name, or the options are not such as it has
 */
export function makeByName<T>(
  kind: string,
  makers: Readonly<Record<string, MakePart<T>>>,
  name: string,
  options: unknown,
): T {
  const make = Object.hasOwn(makers, name) ? makers[name] : undefined;
  if (make !== undefined) return make(options, `${kind} ${name}`);
  const names = Object.keys(makers);
  const near = closest(name, names);
  throw new LexrayError('CONFIG', `expected a ${kind} from ${names.join(', ')}, got ${JSON.stringify(name)}`, {
    ...(near !== undefined && { cure: `did you mean ${near}?` }),
  });
}
