/**
 * Unpickles tensors and nothing else. A pickle is a program for a stack machine (Python's `pickletools.py` lists its
 * operations), and in Python it can call any function: `posix.system` as easily as a tensor's constructor. This machine
 * knows the operations that `torch.save` needs at protocols 2 to 5, and the names of `tensor-globals.ts`. It imports and
 * executes nothing; what it does not know it refuses by name.
 *
 * Work and memory are bounded: each operation costs at most its length in bytes, operations, stack and memo are counted,
 * and nothing walks nested values.
 */
import { badInput } from '../../util/errors.ts';
import { quote } from '../json-cursor.ts';
import { PickleCursor } from './pickle-cursor.ts';
import { operations, refusedOperations } from './pickle-operations.ts';
import { describe, isKind, type PickleDict, type PickleValue } from './pickle-value.ts';
import { applyGlobal, isTensorGlobal, storageOf } from './tensor-globals.ts';

const limits = { operations: 2_000_000, stack: 100_000, memo: 500_000 } as const;

/**
 * Runs a pickle and returns the value it makes.
 * @param where the file, for messages
 * @throws LexrayError BAD_INPUT when it is damaged, asks for anything but tensors (the message names it), or is too large
 */
export function unpickle(bytes: Uint8Array, where: string): PickleValue {
  return new Unpickler(bytes, where).run();
}

class Unpickler {
  readonly #in: PickleCursor;
  readonly #where: string;
  readonly #memo = new Map<number, PickleValue>();
  #stack: PickleValue[] = [];
  /** The stacks below each open mark. */
  readonly #below: PickleValue[][] = [];
  #depth = 0;

  constructor(bytes: Uint8Array, where: string) {
    this.#in = new PickleCursor(bytes, this.#fail);
    this.#where = where;
  }

  run(): PickleValue {
    for (let count = 0; ; count++) {
      if (count === limits.operations) this.#fail(`it has more than ${limits.operations} operations`);
      const code = this.#in.byte();
      if (code === operations.STOP) break;
      this.#step(code);
      if (this.#stack.length + this.#depth > limits.stack) this.#fail(`its stack is deeper than ${limits.stack}`);
    }
    const value = this.#pop();
    if (this.#stack.length + this.#below.length > 0) this.#fail('values are left over at its end');
    return value;
  }

  #step(code: number): void {
    const value = this.#value(code);
    if (value !== undefined) this.#stack.push(value);
    else this.#effect(code);
  }

  /** The value that an operation pushes; undefined for operations that do something else. */
  #value(code: number): PickleValue | undefined {
    switch (code) {
      case operations.NONE:
        return null;
      case operations.NEWTRUE:
        return true;
      case operations.NEWFALSE:
        return false;
      case operations.BININT:
        return this.#in.int4();
      case operations.BININT1:
        return this.#in.byte();
      case operations.BININT2:
        return this.#in.length2();
      case operations.LONG1:
        return this.#in.long(this.#in.byte());
      case operations.BINFLOAT:
        return this.#in.double();
      case operations.BINUNICODE:
      case operations.BINSTRING:
        return this.#in.text(this.#in.length4());
      case operations.SHORT_BINUNICODE:
      case operations.SHORT_BINSTRING:
        return this.#in.text(this.#in.byte());
      case operations.BINUNICODE8:
        return this.#in.text(this.#in.length8());
      case operations.BINBYTES:
        return this.#in.slice(this.#in.length4());
      case operations.SHORT_BINBYTES:
        return this.#in.slice(this.#in.byte());
      case operations.EMPTY_TUPLE:
        return { kind: 'tuple', items: [] };
      case operations.TUPLE1:
        return { kind: 'tuple', items: this.#take(1) };
      case operations.TUPLE2:
        return { kind: 'tuple', items: this.#take(2) };
      case operations.TUPLE3:
        return { kind: 'tuple', items: this.#take(3) };
      case operations.TUPLE:
        return { kind: 'tuple', items: this.#popMark() };
      case operations.EMPTY_LIST:
        return { kind: 'list', items: [] };
      case operations.LIST:
        return { kind: 'list', items: this.#popMark() };
      case operations.EMPTY_DICT:
        return { kind: 'dict', entries: new Map() };
      case operations.DICT: {
        const dict: PickleDict = { kind: 'dict', entries: new Map() };
        this.#setItems(dict, this.#popMark());
        return dict;
      }
      case operations.BINGET:
        return this.#recall(this.#in.byte());
      case operations.LONG_BINGET:
        return this.#recall(this.#in.length4());
      case operations.GLOBAL:
        return this.#global(this.#in.line(), this.#in.line());
      case operations.STACK_GLOBAL: {
        const [module, name] = this.#take(2);
        if (typeof module !== 'string' || typeof name !== 'string') return this.#fail('a global has no name');
        return this.#global(module, name);
      }
      case operations.BINPERSID:
        return storageOf(this.#pop(), this.#fail);
      case operations.REDUCE: {
        const [callable, args] = this.#take(2);
        if (!isKind(callable, 'global')) return this.#fail(`it calls ${describe(callable)}`);
        if (!isKind(args, 'tuple')) return this.#fail(`${callable.name} is called with ${describe(args)}`);
        return applyGlobal(callable.name, args.items, this.#fail);
      }
      case operations.BUILD: {
        // The attributes of a state_dict: `_metadata`, versions of modules. No tensor depends on them.
        const [target] = this.#take(2);
        if (!isKind(target, 'dict')) return this.#fail(`it sets attributes of ${describe(target)}`);
        return target;
      }
      default:
        return undefined;
    }
  }

  #effect(code: number): void {
    switch (code) {
      case operations.PROTO: {
        const version = this.#in.byte();
        if (version < 2 || version > 5) this.#fail(`its protocol is ${version}; 2 to 5 are read`);
        break;
      }
      case operations.FRAME:
        this.#in.skip(8);
        break;
      case operations.MARK:
        this.#below.push(this.#stack);
        this.#depth += this.#stack.length + 1;
        this.#stack = [];
        break;
      case operations.POP:
        if (this.#stack.length > 0) this.#stack.pop();
        else this.#popMark();
        break;
      case operations.POP_MARK:
        this.#popMark();
        break;
      case operations.APPEND:
        this.#append(this.#take(1));
        break;
      case operations.APPENDS:
        this.#append(this.#popMark());
        break;
      case operations.SETITEM:
        this.#setItemsOfTop(this.#take(2));
        break;
      case operations.SETITEMS:
        this.#setItemsOfTop(this.#popMark());
        break;
      case operations.BINPUT:
        this.#remember(this.#in.byte());
        break;
      case operations.LONG_BINPUT:
        this.#remember(this.#in.length4());
        break;
      case operations.MEMOIZE:
        this.#remember(this.#memo.size);
        break;
      default: {
        const hex = `0x${code.toString(16).padStart(2, '0')}`;
        const name = refusedOperations.get(code);
        const operation = name === undefined ? hex : `${name} (${hex})`;
        this.#fail(`it uses the operation ${operation}, which no tensor needs`);
      }
    }
  }

  #global(module: string, name: string): PickleValue {
    const full = `${module}.${name}`;
    if (isTensorGlobal(full)) return { kind: 'global', name: full };
    throw badInput(`${this.#where} asks for ${quote(full)}, which no tensor needs; nothing of it was run`, {
      where: this.#where,
      cure: 'if you trust its author, load it with PyTorch in a sandbox and save its state_dict as safetensors; else delete it',
    });
  }

  #setItemsOfTop(items: readonly PickleValue[]): void {
    const target = this.#stack.at(-1);
    if (!isKind(target, 'dict')) this.#fail(`it sets items of ${describe(target)}`);
    else this.#setItems(target, items);
  }

  #setItems({ entries }: PickleDict, items: readonly PickleValue[]): void {
    if (items.length % 2 !== 0) this.#fail('a key has no value');
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i]!;
      if (typeof key === 'object' && key !== null) this.#fail(`a key is ${describe(key)}`);
      else entries.set(key, items[i + 1]!);
    }
  }

  #append(items: readonly PickleValue[]): void {
    const target = this.#stack.at(-1);
    if (!isKind(target, 'list')) this.#fail(`it appends to ${describe(target)}`);
    else for (const item of items) target.items.push(item);
  }

  #pop(): PickleValue {
    return this.#take(1)[0]!;
  }

  #take(count: number): PickleValue[] {
    if (this.#stack.length < count) return this.#fail('its stack is empty');
    return this.#stack.splice(this.#stack.length - count);
  }

  #popMark(): PickleValue[] {
    const below = this.#below.pop();
    if (below === undefined) return this.#fail('a mark is missing');
    const items = this.#stack;
    this.#stack = below;
    this.#depth -= below.length + 1;
    return items;
  }

  #remember(index: number): void {
    const top = this.#stack.at(-1);
    if (top === undefined) this.#fail('its stack is empty');
    else this.#memo.set(index, top);
    if (this.#memo.size > limits.memo) this.#fail(`it remembers more than ${limits.memo} values`);
  }

  #recall(index: number): PickleValue {
    const value = this.#memo.get(index);
    return value === undefined ? this.#fail(`it recalls value ${index}, which it never stored`) : value;
  }

  #fail = (message: string): never => {
    throw badInput(`${this.#where} is not a pickle of tensors: ${message} (at byte ${this.#in.at} of data.pkl)`, {
      where: this.#where,
      cure: 'fetch or write the file again; weights alone, as a state_dict or, better, as safetensors',
    });
  };
}
