/**
 * Events of TensorBoard, as records of an event file. The message (tensorflow/core/util/event.proto, summary.proto):
 *
 *     Event    1 wall_time double, 2 step int64, 3 file_version string, 5 summary, 7 session_log
 *     Summary  1 value, repeated: 1 tag string, 2 simple_value float
 *     SessionLog  1 status: 1 is START, from whose step on TensorBoard forgets what it read before
 *
 * and the record around it, little-endian: length uint64, masked CRC-32C of the length, data, masked CRC-32C of the data.
 */
import { ProtobufWriter } from '../../compute/graph/protobuf.ts';
import { maskedCrc32c } from './crc32c.ts';

/** Scalars by tag. */
export type Scalars = Readonly<Record<string, number>>;

/** The first record of a file: the version of the format. */
export function versionRecord(wallTime: number): Uint8Array {
  return record(wallTime, new ProtobufWriter().string(3, 'brain.Event:2'));
}

/** Says that what came before with `step` or a later one does not count. */
export function startRecord(wallTime: number, step: number): Uint8Array {
  return record(wallTime, stepped(step).message(7, new ProtobufWriter().int(1, 1)));
}

/** Scalars of a step. @param wallTime seconds since 1970 */
export function scalarsRecord(wallTime: number, step: number, scalars: Scalars): Uint8Array {
  const summary = new ProtobufWriter();
  for (const [tag, value] of Object.entries(scalars)) {
    summary.message(1, new ProtobufWriter().string(1, tag).float(2, value));
  }
  return record(wallTime, stepped(step).message(5, summary));
}

/** Fields of value 0 are not written, as proto3 has it. */
function stepped(step: number): ProtobufWriter {
  const event = new ProtobufWriter();
  return step === 0 ? event : event.int(2, step);
}

const doubleField1 = (1 << 3) | 1;

function record(wallTime: number, rest: ProtobufWriter): Uint8Array {
  const fields = rest.finish();
  const length = 9 + fields.length;
  const bytes = new Uint8Array(16 + length);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(length), true);
  view.setUint32(8, maskedCrc32c(bytes.subarray(0, 8)), true);
  view.setUint8(12, doubleField1);
  view.setFloat64(13, wallTime, true);
  bytes.set(fields, 21);
  view.setUint32(12 + length, maskedCrc32c(bytes.subarray(12, 12 + length)), true);
  return bytes;
}
