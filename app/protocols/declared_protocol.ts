// SPDX-License-Identifier: Apache-2.0
// A protocol declared in TOML: what a frame begins with, where its length stands or what ends it,
// and where type, id and resource are.
//
//   name = "acme"                  transport = "tcp"            spec = "https://…"
//   [frame]     prefix = "ac 3e"   length = { at = 4, bytes = 4, little = false, adds = 8 }
//               or end = "\n"
//   [kind]      response = { at = 2, mask = 0x80 }              else: by direction
//               oneway = { at = 2, mask = 0x40 }
//   [type]      at = 3, bytes = 1, names = { 1 = "LOGIN" }      or pattern = "^cmd=(\\w+)"
//   [id] [resource] [code]         as type

import { byteSet } from "../../operators/wire/byte_set.ts";
import { type Cursor, Malformed } from "../../operators/wire/cursor.ts";
import { type Claim, defineProtocol, type Step } from "../../operators/wire/protocol.ts";
import type { AnyProtocol } from "../../operators/wire/registry.ts";
import { decodeUtf8, latin1Of } from "../../operators/wire/text.ts";
import { readDeclaration } from "./declaration.ts";
import type { Bit, Declaration, Place } from "./declaration.ts";

/** Of a frame so much is read; a longer one is no frame. */
const FRAME_BYTES_MAX = 65_536;

export async function declaredProtocol(toml: string): Promise<AnyProtocol> {
  const { parse } = await import("smol-toml");
  const declared = readDeclaration(parse(toml));
  const { prefix, name } = declared;
  return defineProtocol({
    name,
    spec: declared.spec,
    transports: [declared.transport],
    fields: {},
    timeoutNs: 60_000_000_000n,
    pairing: declared.id === null ? "order" : "id",
    capture: "all",
    starts: prefix.length > 0 ? byteSet(prefix[0] ?? 0) : byteSet([0, 255]),
    probe: (bytes, length) => probe(declared, bytes, length),
    open: () => null,
    read(cursor, way, make): Step {
      const frame = readFrame(cursor, declared);
      const id = textAt(frame, declared.id);
      const code = Number(textAt(frame, declared.code) || NaN);
      const draft = {
        type: textAt(frame, declared.type),
        resource: textAt(frame, declared.resource),
        endpoint: textAt(frame, declared.type),
        ...(id !== "" && { id }),
      };
      if (isSet(frame, declared.oneway)) return make.oneway(draft);
      const response = declared.response === null
        ? way === "toClient"
        : isSet(frame, declared.response);
      if (!response) return make.request(draft);
      return make.response({ ...draft, ...(Number.isFinite(code) && { code }) });
    },
  });
}

function readFrame(cursor: Cursor, { prefix, length, end }: Declaration): Uint8Array {
  if (prefix.some((byte, i) => cursor.peek(i) !== byte)) throw new Malformed("another prefix");
  if (length === null) {
    const at = cursor.find(end);
    if (at < 0) {
      if (cursor.captured > FRAME_BYTES_MAX) throw new Malformed("no end of the frame");
      cursor.need(cursor.captured + 1);
    }
    return cursor.bytes(at + 1).slice(0, at);
  }
  cursor.need(length.at + length.bytes);
  const start = cursor.position;
  const head = cursor.bytes(length.at + length.bytes);
  const size = numberAt(head, length) + length.adds;
  if (size < head.length || size > FRAME_BYTES_MAX) throw new Malformed("no length of a frame");
  cursor.rewind(start);
  return cursor.bytes(size).slice();
}

function numberAt(frame: Uint8Array, { at, bytes, little }: Place): number {
  let value = 0;
  for (let i = 0; i < bytes; i++) {
    value = value * 256 + (frame[at + (little ? bytes - 1 - i : i)] ?? 0);
  }
  return value;
}

function textAt(frame: Uint8Array, place: Place | null): string {
  if (place === null) return "";
  if (place.pattern === null) {
    const value = String(numberAt(frame, place));
    return place.names[value] ?? value;
  }
  const found = place.pattern.exec(decodeUtf8(frame, 0, frame.length));
  const value = found?.[1] ?? "";
  return place.names[value] ?? value;
}

const isSet = (frame: Uint8Array, bit: Bit | null): boolean =>
  bit !== null && ((frame[bit.at] ?? 0) & bit.mask) !== 0;

/** A prefix is worth what it is long; without one, only the frame's length speaks. */
function probe(declared: Declaration, bytes: Uint8Array, length: number): Claim {
  const { prefix, length: size, type } = declared;
  if (prefix.some((byte, i) => i < bytes.length && bytes[i] !== byte)) return { kind: "no" };
  if (bytes.length < prefix.length) return { kind: "maybe" };
  let score = Math.min(90, 30 * prefix.length);
  if (size !== null) {
    if (bytes.length < size.at + size.bytes) return { kind: "maybe" };
    const whole = numberAt(bytes, size) + size.adds;
    if (whole > FRAME_BYTES_MAX || whole < size.at + size.bytes) return { kind: "no" };
    score = Math.max(score, whole === length ? 60 : 0);
  } else if (type?.pattern?.test(latin1Of(bytes, 0, 512)) === true) score = Math.max(score, 70);
  return score === 0 ? { kind: "no" } : { kind: "either", score };
}
