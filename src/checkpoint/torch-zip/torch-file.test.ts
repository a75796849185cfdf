import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LexrayError } from '../../util/errors.ts';
import { fromBf16, fromF16 } from '../../util/half-float.ts';
import { memorySource } from '../byte-source.ts';
import { dtypeBits } from '../safetensors-header.ts';
import { openTensorFiles } from '../tensor-files.ts';
import { openTorchFile, type TorchFile } from './torch-file.ts';

interface ExpectedTensor {
  readonly dtype: keyof typeof dtypeBits;
  readonly shape: readonly number[];
  readonly elements: readonly number[];
}

const goldens = fileURLToPath(new URL('../../../test/fixtures/goldens/torch-zip', import.meta.url));
const expected = JSON.parse(readFileSync(join(goldens, 'expected.json'), 'utf8')) as {
  readonly read: Readonly<Record<string, Readonly<Record<string, ExpectedTensor>>>>;
  readonly refused: Readonly<Record<string, string>>;
};
const bytesOf = (name: string): Uint8Array => new Uint8Array(readFileSync(join(goldens, `${name}.bin`)));

/** Elements of any type but the 8-bit floats, which are compared as bytes elsewhere. */
function decode(bytes: Uint8Array, dtype: ExpectedTensor['dtype']): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const width = dtypeBits[dtype] / 8;
  const at = (i: number): number => {
    switch (dtype) {
      case 'F64':
        return Math.fround(view.getFloat64(i, true));
      case 'F32':
        return view.getFloat32(i, true);
      case 'F16':
        return fromF16(view.getUint16(i, true));
      case 'BF16':
        return fromBf16(view.getUint16(i, true));
      case 'I64':
        return Number(view.getBigInt64(i, true));
      case 'U64':
        return Number(view.getBigUint64(i, true));
      case 'I32':
        return view.getInt32(i, true);
      case 'U32':
        return view.getUint32(i, true);
      case 'I16':
        return view.getInt16(i, true);
      case 'U16':
        return view.getUint16(i, true);
      case 'I8':
        return view.getInt8(i);
      default:
        return view.getUint8(i);
    }
  };
  if (dtype === 'C64') return Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
  return Array.from({ length: bytes.length / width }, (_, i) => at(i * width));
}

async function readBytes(file: TorchFile, name: string): Promise<Uint8Array> {
  const read = await file.elements(name);
  const bytes = new Uint8Array(file.tensors.get(name)!.byteLength);
  await read(bytes, 0);
  return bytes;
}

const whole = Object.entries(expected.read).filter(([name]) => name !== 'sharded' && name !== 'bert');

describe('checkpoints that PyTorch wrote', () => {
  it.each(whole)('%s has the tensors that PyTorch reads', async (name, tensors) => {
    const file = await openTorchFile(join(goldens, `${name}.bin`));
    expect([...file.tensors.keys()]).toEqual(Object.keys(tensors));
    for (const [key, { dtype, shape, elements }] of Object.entries(tensors)) {
      const info = file.tensors.get(key)!;
      expect({ key, dtype: info.dtype, shape: info.shape }).toEqual({ key, dtype, shape });
      if (dtype.startsWith('F8')) continue;
      expect([key, decode(await readBytes(file, key), dtype)]).toEqual([key, elements]);
      if (dtype === 'F32' || dtype === 'F16' || dtype === 'BF16') {
        expect([key, [...(await file.readTensor(key))]]).toEqual([key, elements]);
      } else {
        await expect(file.readTensor(key)).rejects.toThrow(`has dtype ${dtype}`);
      }
    }
    await file.close();
  });

  it('shards are read as one set', async () => {
    const files = await openTensorFiles(join(goldens, 'sharded'));
    for (const [key, { elements, dtype }] of Object.entries(expected.read.sharded!)) {
      expect(files.tensors.get(key)!.dtype).toBe(dtype);
      if (dtype === 'F32') expect([...(await files.readTensor(key))]).toEqual(elements);
    }
    expect(await files.sameBytes('embeddings.weight', 'decoder.weight')).toBe(true);
    expect(await files.sameBytes('norm.weight', 'norm.bias')).toBe(false);
    await files.close();
  });

  it('tied tensors are the same place in the file', async () => {
    const file = await openTorchFile(join(goldens, 'plain.bin'));
    const [embeddings, decoder] = ['embeddings.weight', 'decoder.weight'].map((name) => file.tensors.get(name)!);
    expect(decoder!.byteOffset).toBe(embeddings!.byteOffset);
    await file.close();
  });

  it('a part of a transposed tensor can be read', async () => {
    const file = await openTorchFile(join(goldens, 'strided.bin'));
    const { elements } = expected.read.strided!.transposed!;
    const part = new Uint8Array(12);
    await (await file.elements('transposed'))(part, 8);
    expect(decode(part, 'F32')).toEqual(elements.slice(2, 5));
    await file.close();
  });

  it('values that are not finite are refused', async () => {
    const bytes = bytesOf('without-checksums').slice();
    const file = await openTorchFile(memorySource(bytes));
    new DataView(bytes.buffer).setFloat32(file.tensors.get('weight')!.byteOffset + 4, Number.NaN, true);
    await expect(file.readTensor('weight')).rejects.toThrow('has the value NaN at element 1');
  });
});

describe('what is not read', () => {
  it.each(Object.entries(expected.refused))('%s is refused by name', async (name, message) => {
    const error = await openTorchFile(join(goldens, `${name}.bin`)).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(LexrayError);
    expect(error).toMatchObject({ code: 'BAD_INPUT', cure: expect.stringMatching(/./) });
    expect((error as LexrayError).message).toContain(message);
    expect((error as LexrayError).message).toContain(`${name}.bin`);
  });

  it.each([
    ['a Git LFS pointer', 'version https://git-lfs.github.com/spec/v1\noid sha256:00\n', /Git LFS pointer/],
    ['a page', '<!DOCTYPE html>', /is not a checkpoint of PyTorch/],
    ['nothing', '', /is not a checkpoint of PyTorch/],
    ['a bare pickle', '\u0080\u0002}.', /is a pickle/],
    ['the first bytes of a zip file', 'PK\u0003\u0004', /no end record/],
  ])('%s is refused', async (_title, text, message) => {
    await expect(openTorchFile(memorySource(Buffer.from(text, 'latin1')))).rejects.toThrow(message);
  });

  it('compressed entries are refused', async () => {
    const bytes = bytesOf('without-checksums');
    const central = Buffer.from(bytes.buffer).indexOf('PK\u0001\u0002');
    bytes[central + 10] = 8;
    await expect(openTorchFile(memorySource(bytes))).rejects.toThrow('"archive/data.pkl" is compressed');
  });

  it('a file cut anywhere is refused', async () => {
    const bytes = bytesOf('plain');
    for (let length = 0; length < bytes.length; length += 7) {
      await expect(openTorchFile(memorySource(bytes.subarray(0, length)))).rejects.toThrow(LexrayError);
    }
  });
});

describe('damage', () => {
  const originals = ['plain', 'strided', 'typed', 'big-endian', 'protocol-4'].map(bytesOf);

  it('leads to an error of ours or to tensors of the promised size, never to anything else', async () => {
    let opened = 0;
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.nat(originals.length - 1),
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }), fc.boolean()), { minLength: 1, maxLength: 4 }),
        async (which, changes) => {
          const bytes = originals[which]!.slice();
          for (const [position, value, anywhere] of changes) {
            // Half of the changes hit the pickle, which begins right after its local header.
            bytes[anywhere ? position % bytes.length : 64 + (position % 700)] = value;
          }
          try {
            const file = await openTorchFile(memorySource(bytes));
            opened++;
            for (const [name, { byteLength, shape, dtype }] of file.tensors) {
              expect(byteLength).toBe((shape.reduce((a, b) => a * b, 1) * dtypeBits[dtype]) / 8);
              expect(byteLength).toBeLessThanOrEqual(bytes.length);
              await readBytes(file, name);
            }
          } catch (error) {
            refused++;
            expect(error).toBeInstanceOf(LexrayError);
            expect((error as LexrayError).code).toBe('BAD_INPUT');
          }
        },
      ),
      { numRuns: 3000, seed: 7 },
    );
    expect(opened).toBeGreaterThan(100);
    expect(refused).toBeGreaterThan(100);
  });
});
