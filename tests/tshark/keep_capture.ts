// SPDX-License-Identifier: Apache-2.0
// A capture without the facts of the host that it was made on, to be kept as a fixture.

const BLOCK = { section: 0x0a0d0d0a, interface: 1 } as const;
/** Options that stay: the names of interfaces, and the unit of time stamps. */
const INTERFACE_OPTIONS: ReadonlySet<number> = new Set([2, 9]);

/** Of a pcapng file as `export` writes it: little endian. */
export function withoutHost(pcapng: Uint8Array): Uint8Array {
  const view = new DataView(pcapng.buffer, pcapng.byteOffset, pcapng.length);
  const blocks: Uint8Array[] = [];
  for (let at = 0; at < pcapng.length;) {
    const type = view.getUint32(at, true), length = view.getUint32(at + 4, true);
    const block = pcapng.subarray(at, at + length);
    if (type === BLOCK.section) blocks.push(withOptions(block, 24, new Set()));
    else if (type === BLOCK.interface) blocks.push(withOptions(block, 16, INTERFACE_OPTIONS));
    else blocks.push(block);
    at += length;
  }
  return joined(blocks);
}

/** The block with no other options; they begin at `start`. */
function withOptions(block: Uint8Array, start: number, kept: ReadonlySet<number>): Uint8Array {
  const view = new DataView(block.buffer, block.byteOffset, block.length);
  const parts = [block.subarray(8, start)];
  for (let at = start; at + 4 <= block.length - 4;) {
    const code = view.getUint16(at, true);
    const bytes = 4 + ((view.getUint16(at + 2, true) + 3) & ~3);
    if (code === 0) break;
    if (kept.has(code)) parts.push(block.subarray(at, at + bytes));
    at += bytes;
  }
  if (parts.length > 1) parts.push(new Uint8Array(4));
  const body = joined(parts);
  const whole = new Uint8Array(body.length + 12);
  const out = new DataView(whole.buffer);
  out.setUint32(0, view.getUint32(0, true), true);
  out.setUint32(4, whole.length, true);
  whole.set(body, 8);
  out.setUint32(whole.length - 4, whole.length, true);
  return whole;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
