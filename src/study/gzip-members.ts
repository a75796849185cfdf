/**
 * Members of a gzip file (RFC 1952): magic number 1f 8b, method 8, flags, time (4 bytes), two bytes more; fields by the flags;
 * deflate; checksum and length of the text, 4 bytes each, little-endian. A member of ours, by `gzipSync`, holds one line, with flags
 * and time 0.
 */
import { constants, crc32, inflateRawSync } from 'node:zlib';

const magic = Buffer.from([0x1f, 0x8b, 0x08]);
const headerBytes = 10;
const trailerBytes = 8;
/** Flags, in the order of their fields. */
const [headerChecksum, extra, name, comment, reserved] = [0x02, 0x04, 0x08, 0x10, 0xe0];
/** What the header of a member of ours says before what depends on the system: no flags, no time. */
const ownStart = Buffer.from([...magic, 0, 0, 0, 0, 0]);

/** Whether a member begins at a place. */
export function isMemberStart(bytes: Buffer, at: number): boolean {
  return bytes.subarray(at, at + magic.length).equals(magic);
}

/** The members of a file up to the first that is not whole, and where they end. */
export function readMembers(bytes: Buffer): { readonly texts: readonly Buffer[]; readonly end: number } {
  const texts: Buffer[] = [];
  let end = 0;
  for (let member = readMember(bytes, 0); member !== undefined; member = readMember(bytes, end)) {
    texts.push(member.text);
    end = member.end;
  }
  return { texts, end };
}

/**
 * Whether what is there is a member of ours that was cut short: its header, and one line or the begin of one.
 * @param begins whether a text is the begin of such a line
 */
export function isTornMember(bytes: Buffer, at: number, begins: (text: string) => boolean): boolean {
  const rest = bytes.subarray(at);
  const start = Math.min(rest.length, ownStart.length);
  if (!rest.subarray(0, start).equals(ownStart.subarray(0, start))) return false;
  // A damaged member may swallow those behind it.
  for (let next = bytes.indexOf(magic, at + 1); next !== -1; next = bytes.indexOf(magic, next + 1)) {
    if (readMember(bytes, next) !== undefined) return false;
  }
  const found = inflate(rest.subarray(headerBytes), constants.Z_SYNC_FLUSH);
  if (found === undefined) return false;
  // More behind the deflated text than a cut trailer: damaged, not cut.
  const { text, used } = found;
  if (rest.length - headerBytes - used >= trailerBytes) return false;
  const line = text.toString('utf8');
  const newline = line.indexOf('\n');
  return begins(line.trimEnd()) && (newline === -1 || newline === line.length - 1);
}

/** The member at a place, if it is whole: its checksum and length are those of the text. */
function readMember(bytes: Buffer, at: number): { readonly text: Buffer; readonly end: number } | undefined {
  const start = textStart(bytes, at);
  if (start === undefined) return undefined;
  const found = inflate(bytes.subarray(start));
  if (found === undefined) return undefined;
  const { text, used } = found;
  const trailer = start + used;
  const end = trailer + trailerBytes;
  if (end > bytes.length) return undefined;
  if (bytes.readUInt32LE(trailer) !== crc32(text) || bytes.readUInt32LE(trailer + 4) !== text.length >>> 0) {
    return undefined;
  }
  return { text, end };
}

/** Where the deflated text of the member at a place begins; undefined where there is no whole header. */
function textStart(bytes: Buffer, at: number): number | undefined {
  const flags = bytes[at + 3];
  if (flags === undefined || (flags & reserved) !== 0) return undefined;
  if (!isMemberStart(bytes, at)) return undefined;
  let next = at + headerBytes;
  if (flags & extra) next += 2 + (next + 2 <= bytes.length ? bytes.readUInt16LE(next) : 0);
  for (const field of [name, comment]) {
    if (!(flags & field)) continue;
    const zero = bytes.indexOf(0, next);
    if (zero === -1) return undefined;
    next = zero + 1;
  }
  if (flags & headerChecksum) next += 2;
  return next <= bytes.length ? next : undefined;
}

/**
 * Inflates what begins a buffer.
 * @param finish what is expected at the end: all, or what is there
 */
function inflate(
  bytes: Buffer,
  finish: number = constants.Z_FINISH,
): { readonly text: Buffer; readonly used: number } | undefined {
  try {
    // With `info` the result says how many bytes were used, which the types do not know.
    const { buffer, engine } = inflateRawSync(bytes, { info: true, finishFlush: finish }) as unknown as {
      readonly buffer: Buffer;
      readonly engine: { readonly bytesWritten: number };
    };
    return { text: buffer, used: engine.bytesWritten };
  } catch {
    return undefined;
  }
}
