/** A reading position in the bytes of a pickle. */
import type { Fail } from './tensor-globals.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** Bytes of the longest name of a module or a class. */
const maxLineLength = 256;

/** Reads the arguments of operations one after another; `fail` is called where the bytes end or do not fit. */
export class PickleCursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #fail: Fail;
  #at = 0;

  constructor(bytes: Uint8Array, fail: Fail) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#fail = fail;
  }

  get at(): number {
    return this.#at;
  }

  byte(): number {
    return this.#bytes[this.skip(1)]!;
  }

  /** Moves on; returns the position before. */
  skip(length: number): number {
    const at = this.#at;
    if (length > this.#bytes.length - at) return this.#fail('it ends too early');
    this.#at += length;
    return at;
  }

  slice(length: number): Uint8Array {
    const at = this.skip(length);
    return this.#bytes.subarray(at, at + length);
  }

  text(length: number): string {
    const bytes = this.slice(length);
    try {
      return utf8.decode(bytes);
    } catch {
      return this.#fail('a text is not UTF-8');
    }
  }

  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end === -1 || end - this.#at > maxLineLength) return this.#fail('the name of a global does not end');
    const line = this.text(end - this.#at);
    this.#at++;
    return line;
  }

  length4(): number {
    return this.#view.getUint32(this.skip(4), true);
  }

  length8(): number {
    return Number(this.#view.getBigUint64(this.skip(8), true));
  }

  /** A little-endian integer in two's complement; wider than 8 bytes it is no size of a tensor. */
  long(length: number): number {
    if (length > 8) return this.#fail(`it has an integer of ${length} bytes`);
    const at = this.skip(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#bytes[at + i]!);
    return Number(BigInt.asIntN(8 * length, value));
  }

  length2(): number {
    return this.#view.getUint16(this.skip(2), true);
  }

  int4(): number {
    return this.#view.getInt32(this.skip(4), true);
  }

  /** The one number that is stored big-endian. */
  double(): number {
    return this.#view.getFloat64(this.skip(8), false);
  }
}
