/** What a pickle of tensors can hold. Python objects are plain data here: nothing is imported, built or called. */
import type { Dtype } from '../safetensors-header.ts';

/** Any value on the unpickler's stack. */
export type PickleValue =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | PickleTuple
  | PickleList
  | PickleDict
  | PickleGlobal
  | StorageReference
  | StoredTensor;

export interface PickleTuple {
  readonly kind: 'tuple';
  readonly items: readonly PickleValue[];
}

export interface PickleList {
  readonly kind: 'list';
  readonly items: PickleValue[];
}

/** A dict or an OrderedDict. */
export interface PickleDict {
  readonly kind: 'dict';
  readonly entries: Map<string | number | boolean | null, PickleValue>;
}

/** A name of the allow-list. */
export interface PickleGlobal {
  readonly kind: 'global';
  readonly name: string;
}

/** The elements that one or several tensors share; the bytes are in the entry `data/KEY`. */
export interface StorageReference {
  readonly kind: 'storage';
  readonly key: string;
  /** Undefined where the tensor says it. */
  readonly dtype: Dtype | undefined;
  /** Elements, or bytes where `dtype` is undefined. */
  readonly length: number;
}

/** A view of a storage. Offset and strides count elements. */
export interface StoredTensor {
  readonly kind: 'tensor';
  readonly storage: StorageReference;
  readonly dtype: Dtype;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** A compound value. */
export type PickleObject = Exclude<PickleValue, null | boolean | number | string | Uint8Array>;

/** Whether a value is a compound of the given kind. */
export function isKind<K extends PickleObject['kind']>(
  value: PickleValue | undefined,
  kind: K,
): value is Extract<PickleObject, { kind: K }> {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === kind;
}

/** A value as messages name it. */
export function describe(value: PickleValue | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'None';
  if (value instanceof Uint8Array) return 'bytes';
  if (typeof value === 'object') return value.kind === 'global' ? value.name : `a ${value.kind}`;
  return `a ${typeof value}`;
}
