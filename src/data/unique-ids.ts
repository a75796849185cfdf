/** Ids seen so far in a stream, in several sets: one set of V8 ends at 2²⁴ entries. */
import { badInput } from '../util/errors.ts';

const idsInASet = 1 << 23;

/** Refuses an id that comes a second time. */
export class UniqueIds {
  readonly #sets: Set<string>[] = [new Set()];
  #size = 0;

  /** How many ids were added. */
  get size(): number {
    return this.#size;
  }

  has(id: string): boolean {
    return this.#sets.some((set) => set.has(id));
  }

  /**
   * Adds an id.
   * @param kind what it names: `docid`
   * @throws LexrayError BAD_INPUT when it was added before
   */
  add(id: string, kind: string, where: string): void {
    if (this.has(id)) {
      throw badInput(`the ${kind} ${JSON.stringify(id)} occurs twice`, {
        where,
        cure: `give each record its own ${kind}`,
      });
    }
    let last = this.#sets.at(-1);
    if (last === undefined || last.size >= idsInASet) {
      last = new Set();
      this.#sets.push(last);
    }
    last.add(id);
    this.#size++;
  }
}
