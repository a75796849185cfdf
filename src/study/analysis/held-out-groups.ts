/** Cells that are judged, beside those that may choose what they are judged by. */

/** Cells of one combination of groups, and the cells that share no group with them. */
export interface HeldOut<T> {
  readonly groups: readonly string[];
  readonly members: readonly T[];
  readonly others: readonly T[];
}

/** Holds out each combination of groups. */
export function heldOutGroups<T extends { readonly groups: readonly string[] }>(cells: readonly T[]): HeldOut<T>[] {
  const combinations = new Map<string, T[]>();
  for (const cell of cells) {
    const key = cell.groups.join('\n');
    const members = combinations.get(key);
    if (members === undefined) combinations.set(key, [cell]);
    else members.push(cell);
  }
  return [...combinations.values()].map((members) => {
    const { groups } = members[0]!;
    const others = cells.filter((cell) => cell.groups.every((group, i) => group !== groups[i]));
    return { groups, members, others };
  });
}
