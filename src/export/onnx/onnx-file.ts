/**
 * Writes ONNX files with their parameters, one tensor in memory at a time. A file holds its parameters itself, or, since
 * protobuf ends at 2 GB, they lie one after another in a file beside, which all graphs of a model share
 * (https://onnx.ai/onnx/repo-docs/ExternalData.html).
 */
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { NamedWeight } from '../../checkpoint/checkpoint.ts';
import type { Graph } from '../../compute/graph/graph.ts';
import { graphProto } from '../../compute/graph/onnx-writer.ts';
import { ProtobufWriter } from '../../compute/graph/protobuf.ts';
import { LexrayError, throwIfAborted } from '../../util/errors.ts';
import type { ProgressListener } from '../../util/progress.ts';
import { lexrayVersion } from '../../util/version.ts';
import { portableOpset } from './portable-nodes.ts';

/** The IR version that came with opset 18. */
const irVersion = 8;
/** External data begins at multiples of it, so that it can be mapped. */
const pageSize = 4096;

/** Options of {@link writeOnnxFiles}. */
export interface OnnxFileOptions {
  /** File in the folder that takes the parameters of all graphs. @default none: they are inside each file */
  readonly dataFile?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

interface Target {
  readonly file: FileHandle;
  readonly parameters: ReadonlySet<string>;
}

/**
 * Writes graphs of one model.
 * @param graphs graph of each file, by its name in the folder
 * @param weights all parameters of the graphs, read once
 * @throws LexrayError FAILED when a parameter is missing or of another size; INTERRUPTED
 */
export async function writeOnnxFiles(
  folder: string,
  graphs: Readonly<Record<string, Graph>>,
  weights: AsyncIterable<NamedWeight>,
  options: OnnxFileOptions = {},
): Promise<void> {
  const { dataFile } = options;
  const sizes = new Map<string, number>();
  for (const graph of Object.values(graphs)) {
    for (const { name, dims } of graph.variables.values()) sizes.set(name, 4 * elements(dims as number[]));
  }
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  const offsets = new Map<string, number>();
  let offset = 0;
  for (const [name, size] of sizes) {
    offsets.set(name, offset);
    offset = Math.ceil((offset + size) / pageSize) * pageSize;
  }

  const opened: FileHandle[] = [];
  try {
    const targets: Target[] = [];
    for (const [name, graph] of Object.entries(graphs)) {
      const file = await open(join(folder, name), 'w');
      opened.push(file);
      await file.writeFile(modelStart(graph, dataFile, offsets));
      targets.push({ file, parameters: new Set(graph.variables.keys()) });
    }
    const data = dataFile === undefined ? undefined : await open(join(folder, dataFile), 'w');
    if (data) opened.push(data);
    let done = 0;
    for await (const weight of weights) {
      throwIfAborted(options.signal);
      const size = sizes.get(weight.name);
      if (size === undefined) continue;
      sizes.delete(weight.name);
      const bytes = littleEndianBytes(weight.data);
      if (bytes.length !== size) {
        throw new LexrayError('FAILED', `${weight.name}: ${size} bytes expected, got ${bytes.length}`);
      }
      if (data) await writeAt(data, bytes, offsets.get(weight.name)!);
      else {
        for (const { file, parameters } of targets) {
          if (!parameters.has(weight.name)) continue;
          await file.writeFile(new ProtobufWriter().header(5, tensorLength(weight, size)).finish());
          await file.writeFile(tensorStart(weight, size));
          await file.writeFile(bytes);
        }
      }
      done += size;
      options.onProgress?.({ phase: 'write ONNX', done, total, unit: 'bytes' });
    }
    const [missing] = sizes.keys();
    if (missing !== undefined) throw new LexrayError('FAILED', `the checkpoint has no weight ${missing}`);
    for (const file of opened) await file.sync();
  } finally {
    for (const file of opened) await file.close();
  }
}

/** A ModelProto up to its first parameter, or whole where parameters are outside. The graph is its last field. */
function modelStart(graph: Graph, dataFile: string | undefined, offsets: ReadonlyMap<string, number>): Uint8Array {
  const model = new ProtobufWriter().int(1, irVersion).string(2, 'lexray').string(3, lexrayVersion);
  model.message(8, new ProtobufWriter().string(1, '').int(2, portableOpset));
  const proto = graphProto(graph, 'left out');
  let following = 0;
  for (const { name, dims } of graph.variables.values()) {
    const tensor = { name, shape: dims as number[] };
    const size = 4 * elements(tensor.shape);
    if (dataFile === undefined) {
      const length = tensorLength(tensor, size);
      following += new ProtobufWriter().header(5, length).length + length;
    } else {
      proto.message(5, externalTensor(tensor, dataFile, offsets.get(name)!, size));
    }
  }
  const body = proto.finish();
  const start = model.header(7, body.length + following).finish();
  return Buffer.concat([start, body]);
}

/** A TensorProto up to its data, which is its last field. */
function tensorStart({ name, shape }: Omit<NamedWeight, 'data'>, size: number): Uint8Array {
  return tensorDescription(name, shape).header(9, size).finish();
}

function tensorLength(tensor: Omit<NamedWeight, 'data'>, size: number): number {
  return tensorStart(tensor, size).length + size;
}

function externalTensor(
  { name, shape }: Omit<NamedWeight, 'data'>,
  location: string,
  offset: number,
  length: number,
): ProtobufWriter {
  const proto = tensorDescription(name, shape);
  for (const [key, value] of Object.entries({ location, offset: `${offset}`, length: `${length}` })) {
    proto.message(13, new ProtobufWriter().string(1, key).string(2, value));
  }
  return proto.int(14, 1);
}

function tensorDescription(name: string, shape: readonly number[]): ProtobufWriter {
  const proto = new ProtobufWriter();
  for (const size of shape) proto.int(1, size);
  return proto.int(2, 1).string(8, name);
}

function elements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function littleEndianBytes(data: Float32Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

async function writeAt(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, position + written);
    written += bytesWritten;
  }
}
