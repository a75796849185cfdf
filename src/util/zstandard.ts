/**
 * Zstandard (RFC 8878) as a stream. fzstd decodes; what it needs first is a check of the frames, because it allocates
 * whatever window a frame asks for:
 *
 *     frame      magic FD2FB528, descriptor, [window], [dictionary id], [content size], blocks, [checksum]
 *     block      3 bytes: last (1 bit), type (2 bits), size (21 bits); then its data
 *     skippable  magic 184D2A5?, size (4 bytes), data
 *
 * Files of many frames (pzstd, appended logs) are read to their end; node:zlib (24.21) ends after the first frame without
 * an error, so it is not used. Checksums are not verified.
 */
import { Decompress } from 'fzstd';
import { badInput } from './errors.ts';

/** The largest window that is accepted, in bytes: that of `zstd --long=27`, the limit of the zstd program too. */
const maxZstandardWindow = 1 << 27;

/** Decompresses a stream in memory proportional to the window. @throws LexrayError BAD_INPUT when it is damaged */
export async function* decompressZstandard(
  source: AsyncIterable<Uint8Array>,
  where: string,
): AsyncGenerator<Uint8Array> {
  const frames = new FrameCheck(where);
  let blocks: Uint8Array[] = [];
  const decoder = new Decompress((block) => {
    if (block.length > 0) blocks.push(block);
  });
  const push = (chunk: Uint8Array, final: boolean): void => {
    frames.push(chunk);
    try {
      decoder.push(chunk, final);
    } catch (cause) {
      throw damaged((cause as Error).message, where, cause);
    }
  };
  for await (const chunk of source) {
    // Many small frames in one chunk are a recursion in the decoder.
    for (let start = 0; start < chunk.length; start += chunkSize) {
      push(chunk.subarray(start, start + chunkSize), false);
      yield* blocks;
      blocks = [];
    }
  }
  push(new Uint8Array(0), true);
  yield* blocks;
}

const chunkSize = 1 << 14;
const frameMagic = 0xfd2fb528;
const skippableMagic = 0x184d2a50;

type Part = 'magic' | 'descriptor' | 'header' | 'block' | 'data' | 'skip size' | 'skip';

/** Walks over the headers of frames and blocks, in chunks of any size. */
class FrameCheck {
  readonly #where: string;
  #part: Part = 'magic';
  /** Bytes of the header that is being collected, little-endian. */
  readonly #bytes: number[] = [];
  #wanted = 4;
  #descriptor = 0;
  #lastBlock = false;

  constructor(where: string) {
    this.#where = where;
  }

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#part === 'data' || this.#part === 'skip') {
        const step = Math.min(this.#wanted, chunk.length - at);
        at += step;
        this.#wanted -= step;
        if (this.#wanted === 0) this.#dataEnds();
        continue;
      }
      this.#bytes.push(chunk[at++]!);
      if (this.#bytes.length === this.#wanted) this.#headerEnds();
    }
  }

  #expect(part: Part, bytes: number): void {
    this.#part = part;
    this.#wanted = bytes;
    this.#bytes.length = 0;
    if (bytes === 0) this.#dataEnds();
  }

  #dataEnds(): void {
    if (this.#part === 'skip' || this.#lastBlock) this.#expect('magic', 4);
    else this.#expect('block', 3);
  }

  #headerEnds(): void {
    switch (this.#part) {
      case 'magic': {
        const magic = this.#number(0, 4);
        if (magic !== frameMagic && (magic & ~0xf) >>> 0 !== skippableMagic) {
          throw damaged('a frame begins with unknown bytes', this.#where);
        }
        if (magic === frameMagic) this.#expect('descriptor', 1);
        else this.#expect('skip size', 4);
        break;
      }
      case 'descriptor': {
        this.#descriptor = this.#bytes[0]!;
        const { window, dictionary, size } = headerSizes(this.#descriptor);
        this.#expect('header', window + dictionary + size);
        break;
      }
      case 'header':
        this.#checkWindow();
        this.#expect('block', 3);
        break;
      case 'block': {
        const header = this.#number(0, 3);
        const type = (header >> 1) & 3;
        if (type === 3) throw damaged('a block has the reserved type', this.#where);
        this.#lastBlock = (header & 1) === 1;
        const checksum = this.#lastBlock && (this.#descriptor & 4) !== 0 ? 4 : 0;
        this.#expect('data', (type === 1 ? 1 : header >> 3) + checksum);
        break;
      }
      default:
        this.#expect('skip', this.#number(0, 4));
    }
  }

  /** The window is given in powers of two and eighths; without it, it is the whole content. */
  #checkWindow(): void {
    const { window, dictionary, size } = headerSizes(this.#descriptor);
    const [first = 0] = this.#bytes;
    const content = this.#number(window + dictionary, window + dictionary + size) + (size === 2 ? 256 : 0);
    const bytes = window === 1 ? 2 ** (10 + (first >> 3)) * (1 + (first & 7) / 8) : content;
    if (bytes <= maxZstandardWindow) return;
    throw badInput(
      `the Zstandard file needs a window of ${bytes} bytes, more than the ${maxZstandardWindow} that are accepted`,
      { where: this.#where, cure: 'compress it again with zstd --long=27 or less' },
    );
  }

  /** The number in some of the collected bytes. */
  #number(from: number, to: number): number {
    return this.#bytes.slice(from, to).reduceRight((sum, byte) => sum * 256 + byte, 0);
  }
}

/** Bytes of the fields of a frame header that follow its descriptor. */
function headerSizes(descriptor: number): { window: number; dictionary: number; size: number } {
  const single = (descriptor >> 5) & 1;
  const sizeFlag = descriptor >> 6;
  return {
    window: 1 - single,
    dictionary: [0, 1, 2, 4][descriptor & 3]!,
    size: sizeFlag === 0 ? single : 2 ** sizeFlag,
  };
}

function damaged(message: string, where: string, cause?: unknown): Error {
  return badInput(`the Zstandard file is damaged: ${message}`, { where, cause, cure: 'fetch the file again' });
}
