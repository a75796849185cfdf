/**
 * What a value from outside lacks, in words: the setting, what was expected and what came. Schemas (zod) say it in the words of their
 * library, `Too small: expected number to be >=1`.
 *
 *     guard.patienceRatio: expected at most 1, got 3
 */
import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

/**
 * The first complaint of a schema.
 * @param value what was checked
 * @param whole what to call it where the complaint is about all of it @default nothing
 */
export function schemaComplaint(error: { readonly issues: readonly Issue[] }, value: unknown, whole = ''): string {
  const [issue] = error.issues;
  if (issue === undefined) return whole === '' ? 'it does not fit' : `${whole} does not fit`;
  const place = issue.path.map(String).join('.') || whole;
  return `${place === '' ? '' : `${place}: `}${complaintOf(issue, value)}`;
}

/** The same of one issue, without its place. */
export function complaintOf(issue: Issue, value: unknown): string {
  if (issue.code === 'unrecognized_keys') {
    return `there is no ${issue.keys.map((key) => JSON.stringify(key)).join(', ')} here`;
  }
  const came = issue.path.reduce(member, value);
  return came === undefined
    ? `${expectation(issue)}, but nothing is there`
    : `${expectation(issue)}, got ${shown(came)}`;
}

/** How messages begin that a schema did not choose itself. */
const ofLibrary = /^(Too (small|big)|Invalid (input|option|string|number|discriminator value))\b/;

/** What a schema expects, in words: its own, where it has some. */
function expectation(issue: Issue): string {
  if (!ofLibrary.test(issue.message)) return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${typeNames[issue.expected] ?? issue.expected}`;
    case 'too_small':
      return `expected ${bound(issue.origin, issue.minimum, issue.inclusive === false ? 'more than' : 'at least')}`;
    case 'too_big':
      return `expected ${bound(issue.origin, issue.maximum, issue.inclusive === false ? 'less than' : 'at most')}`;
    case 'not_multiple_of':
      return `expected a multiple of ${issue.divisor}`;
    case 'invalid_value':
      return `expected ${issue.values.map(String).join(' or ')}`;
    case 'invalid_union':
      return alternatives(issue);
    default:
      return issue.message;
  }
}

const typeNames: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  string: 'text',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
};

function bound(origin: string, limit: number | bigint, comparison: string): string {
  if (origin !== 'string' && origin !== 'array') return `${comparison} ${limit}`;
  if (comparison === 'at least' && Number(limit) === 1) return 'something that is not empty';
  return `${comparison} ${limit} ${origin === 'array' ? 'entries' : 'characters'}`;
}

function alternatives(issue: Extract<Issue, { code: 'invalid_union' }>): string {
  if ('options' in issue && Array.isArray(issue.options)) return `expected ${issue.options.map(String).join(' or ')}`;
  const found = issue.errors.flatMap(([first]) => (first === undefined ? [] : [expectation(first)]));
  return found.length === 0 ? 'expected another form' : [...new Set(found)].join(', or ');
}

function member(value: unknown, name: PropertyKey): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[name] : undefined;
}

function shown(value: unknown): string {
  if (typeof value === 'number') return String(value);
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}
