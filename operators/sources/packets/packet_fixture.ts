// SPDX-License-Identifier: Apache-2.0
// Builds packets and capture files for tests. Checksums are left 0: nothing here reads them.

export type Bytes = Uint8Array<ArrayBuffer>;

export const concat = (...parts: readonly (Uint8Array | readonly number[])[]): Bytes =>
  concatAll(parts);

function concatAll(parts: readonly (Uint8Array | readonly number[])[]): Bytes {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export const text = (value: string): Bytes => new TextEncoder().encode(value);

const be16 = (n: number) => [(n >> 8) & 0xff, n & 0xff];
const be32 = (n: number) => [...be16(n >>> 16), ...be16(n)];

export interface TcpParts {
  readonly from: number;
  readonly to: number;
  readonly seq?: number;
  readonly ack?: number;
  /** Letters of S F R A. */
  readonly flags?: string;
  readonly payload?: Uint8Array;
}

export function tcp({ from, to, seq = 0, ack = 0, flags = "A", payload = [] as never }: TcpParts) {
  const bits = { F: 1, S: 2, R: 4, A: 16 } as Record<string, number>;
  const flag = [...flags].reduce((sum, letter) => sum | (bits[letter] ?? 0), 0);
  const head = [...be16(from), ...be16(to), ...be32(seq), ...be32(ack), 5 << 4, flag];
  return concat(head, [0, 0, 0, 0, 0, 0], payload);
}

export const udp = (from: number, to: number, payload: Uint8Array): Bytes =>
  concat(be16(from), be16(to), be16(8 + payload.length), [0, 0], payload);

export interface Ipv4Parts {
  readonly from: readonly number[];
  readonly to: readonly number[];
  readonly protocol: number;
  readonly id?: number;
  /** In units of 8 bytes, with 0x2000 for "more fragments". */
  readonly fragment?: number;
}

export function ipv4(parts: Ipv4Parts, inner: Uint8Array): Bytes {
  const { from, to, protocol, id = 0, fragment = 0 } = parts;
  const head = [0x45, 0, ...be16(20 + inner.length), ...be16(id), ...be16(fragment)];
  return concat(head, [64, protocol, 0, 0], from, to, inner);
}

/** `extensions` are whole extension headers whose last one names `protocol` itself. */
export function ipv6(
  from: readonly number[],
  to: readonly number[],
  next: number,
  inner: Uint8Array,
): Bytes {
  return concat([0x60, 0, 0, 0, ...be16(inner.length), next, 64], from, to, inner);
}

export const ethernet = (etherType: number, inner: Uint8Array): Bytes =>
  concat([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2], be16(etherType), inner);

export interface FilePacket {
  readonly timeNs: bigint;
  readonly bytes: Uint8Array;
  /** Kept of the packet, all of it by default. */
  readonly captured?: number;
}

export interface FileForm {
  readonly littleEndian?: boolean;
  readonly nanoseconds?: boolean;
  readonly linkType?: number;
}

export function pcapFile(packets: readonly FilePacket[], form: FileForm = {}): Bytes {
  const { littleEndian = true, nanoseconds = false, linkType = 1 } = form;
  const unitNs = nanoseconds ? 1n : 1000n;
  const head = words(littleEndian, [nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4, 0, 0, 0, 65535]);
  new DataView(head.buffer).setUint16(4, 2, littleEndian);
  const body = packets.map(({ timeNs, bytes, captured = bytes.length }) =>
    concat(
      words(littleEndian, [
        Number(timeNs / 1_000_000_000n),
        Number((timeNs % 1_000_000_000n) / unitNs),
        captured,
        bytes.length,
      ]),
      bytes.subarray(0, captured),
    )
  );
  return concatAll([head, words(littleEndian, [linkType]), ...body]);
}

export interface PcapngForm extends FileForm {
  /** Value of if_tsresol; 6 (microseconds) and absent by default. */
  readonly resolution?: number;
  readonly offsetSeconds?: number;
  readonly simple?: boolean;
}

export function pcapngFile(packets: readonly FilePacket[], form: PcapngForm = {}): Bytes {
  const { littleEndian: little = true, linkType = 1, simple = false } = form;
  const block = (type: number, body: Uint8Array) => {
    const padded = concat(body, new Uint8Array(-body.length & 3));
    const length = padded.length + 12;
    return concat(words(little, [type, length]), padded, words(little, [length]));
  };
  const section = block(0x0a0d0d0a, words(little, [0x1a2b3c4d, 1, 0xffffffff, 0xffffffff]));
  const options = interfaceOptions(form, little);
  const on = words(little, [0, 0]);
  new DataView(on.buffer).setUint16(0, linkType, little);
  const body = packets.map(({ timeNs, bytes, captured = bytes.length }) => {
    if (simple) return block(3, concat(words(little, [bytes.length]), bytes));
    const units = unitsOf(timeNs, form);
    const times = [Number(units >> 32n), Number(units & 0xffffffffn)];
    const head = words(little, [0, ...times, captured, bytes.length]);
    return block(6, concat(head, bytes.subarray(0, captured)));
  });
  return concatAll([section, block(1, concat(on, options)), ...body]);
}

function interfaceOptions({ resolution, offsetSeconds }: PcapngForm, little: boolean): Bytes {
  const option = (code: number, value: Uint8Array) => {
    const head = new DataView(new ArrayBuffer(4));
    head.setUint16(0, code, little);
    head.setUint16(2, value.length, little);
    return concat(new Uint8Array(head.buffer), value, new Uint8Array(-value.length & 3));
  };
  const offset = new DataView(new ArrayBuffer(8));
  offset.setBigInt64(0, BigInt(offsetSeconds ?? 0), little);
  return concat(
    resolution === undefined ? [] : option(9, new Uint8Array([resolution])),
    offsetSeconds === undefined ? [] : option(14, new Uint8Array(offset.buffer)),
    option(0, new Uint8Array()),
  );
}

function unitsOf(timeNs: bigint, { resolution = 6, offsetSeconds = 0 }: PcapngForm): bigint {
  const ns = timeNs - BigInt(offsetSeconds) * 1_000_000_000n;
  const power = BigInt(resolution & 0x7f);
  const perSecond = (resolution & 0x80) !== 0 ? 1n << power : 10n ** power;
  return ns * perSecond / 1_000_000_000n;
}

function words(littleEndian: boolean, values: readonly number[]): Bytes {
  const view = new DataView(new ArrayBuffer(values.length * 4));
  values.forEach((value, i) => view.setUint32(i * 4, value, littleEndian));
  return new Uint8Array(view.buffer);
}
