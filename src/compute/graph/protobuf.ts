/**
 * The protobuf wire format, writing only: varints, 32-bit floats, length-delimited fields
 * (https://protobuf.dev/programming-guides/encoding/). Chunks are kept apart until the end, so large tensors are copied once.
 */

/** Builds one protobuf message. */
export class ProtobufWriter {
  readonly #chunks: Uint8Array[] = [];
  #length = 0;

  /** Bytes so far. */
  get length(): number {
    return this.#length;
  }

  /** A varint field; negative numbers as 64-bit two's complement. */
  int(field: number, value: number | bigint): this {
    return this.#varint(field << 3).#varint(value);
  }

  /** A 32-bit float field. */
  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.#varint((field << 3) | 5).#push(bytes);
  }

  /** A bytes field. */
  bytes(field: number, value: Uint8Array): this {
    return this.header(field, value.length).#push(value);
  }

  /** The tag and length of a bytes field whose value is written elsewhere, right behind what is here. */
  header(field: number, length: number): this {
    return this.#varint((field << 3) | 2).#varint(length);
  }

  /** A string field, UTF-8. */
  string(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  /** An embedded message. */
  message(field: number, value: ProtobufWriter): this {
    this.header(field, value.#length);
    for (const chunk of value.#chunks) this.#push(chunk);
    return this;
  }

  /** The finished message. */
  finish(): Uint8Array {
    const result = new Uint8Array(this.#length);
    let offset = 0;
    for (const chunk of this.#chunks) {
      result.set(chunk, offset);
      offset += chunk.length;
    }
    return result;
  }

  #push(bytes: Uint8Array): this {
    this.#chunks.push(bytes);
    this.#length += bytes.length;
    return this;
  }

  #varint(value: number | bigint): this {
    const bytes: number[] = [];
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 127n) {
      bytes.push(Number(rest & 127n) | 128);
      rest >>= 7n;
    }
    bytes.push(Number(rest));
    return this.#push(Uint8Array.from(bytes));
  }
}
