/**
 * The names that a pickle of tensors may use, and what applying them yields. `torch.save` writes a tensor as
 *
 *     torch._utils._rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, backward_hooks[, metadata])
 *
 * where the storage is the persistent id ('storage', torch.FloatStorage, KEY, DEVICE, LENGTH). Version 3 names the element
 * type beside an untyped storage; a parameter wraps a tensor. Every other name is refused before it can be used.
 */
import type { Dtype } from '../safetensors-header.ts';
import { describe, isKind, type PickleDict, type PickleValue, type StorageReference } from './pickle-value.ts';

/** Throws the error of the pickle; the message completes "FILE, byte N of data.pkl: …". */
export type Fail = (message: string) => never;

const storageDtypes: Readonly<Record<string, Dtype>> = {
  'torch.FloatStorage': 'F32',
  'torch.HalfStorage': 'F16',
  'torch.BFloat16Storage': 'BF16',
  'torch.DoubleStorage': 'F64',
  'torch.LongStorage': 'I64',
  'torch.IntStorage': 'I32',
  'torch.ShortStorage': 'I16',
  'torch.CharStorage': 'I8',
  'torch.ByteStorage': 'U8',
  'torch.BoolStorage': 'BOOL',
  'torch.ComplexFloatStorage': 'C64',
};

const untypedStorage = 'torch.storage.UntypedStorage';

/** Element types of version 3, which have no storage class of their own. */
const namedDtypes: Readonly<Record<string, Dtype>> = {
  'torch.uint16': 'U16',
  'torch.uint32': 'U32',
  'torch.uint64': 'U64',
  'torch.float8_e4m3fn': 'F8_E4M3',
  'torch.float8_e5m2': 'F8_E5M2',
};

const maxRank = 16;

const functions: Readonly<Record<string, (args: readonly PickleValue[], fail: Fail) => PickleValue>> = {
  'collections.OrderedDict': orderedDict,
  'torch.Size': size,
  'torch._utils._rebuild_tensor': (args, fail) => tensor(args, 4, fail),
  'torch._utils._rebuild_tensor_v2': (args, fail) => tensor(args, 6, fail),
  'torch._utils._rebuild_tensor_v3': (args, fail) => tensor(args, 7, fail),
  'torch._utils._rebuild_parameter': ([inner], fail) =>
    isKind(inner, 'tensor') ? inner : fail(`a parameter is made of ${describe(inner)} instead of a tensor`),
};

/** Whether a pickle of tensors may use a global of this name, `MODULE.NAME`. */
export function isTensorGlobal(name: string): boolean {
  return [functions, storageDtypes, namedDtypes].some((table) => Object.hasOwn(table, name)) || name === untypedStorage;
}

/** What calling a global yields. */
export function applyGlobal(name: string, args: readonly PickleValue[], fail: Fail): PickleValue {
  if (!Object.hasOwn(functions, name)) return fail(`${name} is called, which is no function`);
  return functions[name]!(args, fail);
}

/** The storage that a persistent id names. */
export function storageOf(id: PickleValue, fail: Fail): StorageReference {
  if (!isKind(id, 'tuple')) return fail(`a persistent id is ${describe(id)}`);
  const [what, type, key, , length] = id.items;
  if (what !== 'storage' || !isKind(type, 'global') || typeof key !== 'string') {
    return fail('a persistent id does not name a storage');
  }
  const dtype = Object.hasOwn(storageDtypes, type.name) ? storageDtypes[type.name] : undefined;
  if (dtype === undefined && type.name !== untypedStorage) return fail(`a storage is of type ${type.name}`);
  return { kind: 'storage', key, dtype, length: count(length, 'the length of a storage', fail) };
}

function tensor(args: readonly PickleValue[], required: number, fail: Fail): PickleValue {
  if (args.length < required || args.length > required + 1) return fail(`a tensor is made of ${args.length} values`);
  const [storage, offset, shape, strides] = args;
  if (!isKind(storage, 'storage')) return fail(`a tensor has ${describe(storage)} instead of a storage`);
  const typeName = args[6];
  const named = required === 7 && isKind(typeName, 'global') ? typeName.name : undefined;
  const dtype = required === 7 ? namedDtypes[named ?? ''] : storage.dtype;
  if (dtype === undefined) return fail(`a tensor has elements of type ${named ?? describe(typeName)}`);
  const sizes = counts(shape, 'the shape of a tensor', fail);
  const steps = counts(strides, 'the strides of a tensor', fail);
  if (sizes.length !== steps.length) return fail(`a tensor has ${sizes.length} sizes and ${steps.length} strides`);
  const elements = sizes.reduce((product, length) => product * length, 1);
  if (!Number.isSafeInteger(elements)) return fail(`a tensor has the impossible shape [${sizes.join(', ')}]`);
  return {
    kind: 'tensor',
    storage,
    dtype,
    offset: count(offset, 'the offset of a tensor', fail),
    shape: sizes,
    strides: steps,
  };
}

/** Python 3 makes it empty and sets its items afterwards. */
function orderedDict(args: readonly PickleValue[], fail: Fail): PickleDict {
  return args.length === 0 ? { kind: 'dict', entries: new Map() } : fail('an OrderedDict is not made empty');
}

function size(args: readonly PickleValue[], fail: Fail): PickleValue {
  return { kind: 'tuple', items: counts(args[0], 'a torch.Size', fail) };
}

function counts(value: PickleValue | undefined, what: string, fail: Fail): readonly number[] {
  if (!isKind(value, 'tuple')) return fail(`${what} is ${describe(value)}`);
  if (value.items.length > maxRank)
    return fail(`${what} has ${value.items.length} numbers; at most ${maxRank} are read`);
  return value.items.map((item) => count(item, what, fail));
}

function count(value: PickleValue | undefined, what: string, fail: Fail): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    return fail(`${what} has ${typeof value === 'number' ? value : describe(value)} where a count is expected`);
  }
  return value;
}
