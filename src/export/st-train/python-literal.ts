/**
 * Values as Python literals in printable ASCII. Texts from outside reach the generated script only through these, so no
 * character of theirs can end a string, a line or a comment.
 */

/** A value that has a literal. */
export type PythonValue = string | number | boolean | undefined | readonly PythonValue[];

/** The literal: `"a\u00e9"`, `1e-7`, `True`, `None`, `["a", 1]`. */
export function pythonLiteral(value: PythonValue): string {
  if (value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new RangeError(`${value} has no Python literal`);
    return String(value);
  }
  if (typeof value === 'string') return `"${Array.from(value, escapeCharacter).join('')}"`;
  return `[${value.map(pythonLiteral).join(', ')}]`;
}

function escapeCharacter(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`;
  if (character >= ' ' && character <= '~') return character;
  const code = character.codePointAt(0)!.toString(16);
  return code.length > 4 ? `\\U${code.padStart(8, '0')}` : `\\u${code.padStart(4, '0')}`;
}
