// SPDX-License-Identifier: Apache-2.0
// What an Initial packet holds. It is encrypted, with keys that anyone can derive from the id that
// the client chose for the server, so that nobody on the way reads it by mistake.
//
//   keys : HKDF of the version's salt and the id → "client in", "server in" → key, iv, hp
//   frame: 0 padding | 1 ping | 2, 3 acknowledgement | 6 crypto: offset, length, bytes
//          | 1c close: code, frame, length, reason            numbers: 2 bits for their size, big
//          endian

import { type Cipher, createCipheriv } from "node:crypto";
import { expandLabel, extract } from "./expand_label.ts";

const TAG_BYTES = 16, SAMPLE_BYTES = 16, NUMBER_BYTES_MAX = 4;
/** The counter of GCM's first block of text; the one before is the tag's. */
const FIRST_COUNTER = Uint8Array.of(0, 0, 0, 2);

export interface Version {
  readonly name: string;
  readonly salt: string;
  readonly label: string;
  /** Numbers of the types of long packets: Initial, 0-RTT, Handshake, Retry. */
  readonly types: readonly [initial: number, early: number, handshake: number, retry: number];
}

const DRAFT: Version = {
  name: "draft",
  salt: "afbfec289993d24c9e9786f19c6111e04390a899",
  label: "quic",
  types: [0, 1, 2, 3],
};
const VERSIONS: Readonly<Record<number, Version>> = {
  1: { ...DRAFT, name: "1", salt: "38762cf7f55934b34d179ae6a4c80cadccbb7f0a" },
  0x6b3343cf: {
    name: "2",
    salt: "0dede3def700a6db819381be6e269dcbf9bd2ed9",
    label: "quicv2",
    types: [1, 2, 3, 0],
  },
};

/** Versions 1 and 2, and the drafts of the first from 29 on. */
export function versionOf(number: number): Version | undefined {
  if (number < 0xff00_001d || number > 0xff00_0022) return VERSIONS[number];
  return number <= 0xff00_0020 ? DRAFT : VERSIONS[1];
}

interface Keys {
  readonly key: Uint8Array;
  readonly iv: Uint8Array;
  readonly header: Uint8Array;
}

/** Keys of both directions, by the id that the client chose for the server. */
export interface Secrets {
  readonly toServer: Keys;
  readonly toClient: Keys;
}

export function secretsOf(version: Version, id: Uint8Array): Secrets {
  const initial = extract(Uint8Array.fromHex(version.salt), id);
  const keysOf = (side: string): Keys => {
    const secret = expandLabel(initial, `${side} in`, 32);
    return {
      key: expandLabel(secret, `${version.label} key`, 16),
      iv: expandLabel(secret, `${version.label} iv`, 12),
      header: expandLabel(secret, `${version.label} hp`, 16),
    };
  };
  return { toServer: keysOf("client"), toClient: keysOf("server") };
}

/** The cipher is of no use afterwards. */
function encrypt(cipher: Cipher, bytes: Uint8Array): Uint8Array {
  cipher.setAutoPadding(false);
  const encrypted = cipher.update(bytes);
  cipher.final();
  return encrypted;
}

/**
 * The text of a packet, as much of it as was captured; null where it has not even a number.
 * `numberAt` is where the packet's number begins, `bytes` how many from there belong to it.
 */
export function decryptInitial(
  packet: Uint8Array,
  numberAt: number,
  bytes: number,
  keys: Keys,
): Uint8Array | null {
  const sampleAt = numberAt + NUMBER_BYTES_MAX;
  if (packet.length < sampleAt + SAMPLE_BYTES || bytes < TAG_BYTES + NUMBER_BYTES_MAX) return null;
  const sample = packet.subarray(sampleAt, sampleAt + SAMPLE_BYTES);
  const mask = encrypt(createCipheriv("aes-128-ecb", keys.header, null), sample);
  const numberBytes = (((packet[0] as number) ^ (mask[0] as number)) & 3) + 1;
  const nonce = keys.iv.slice();
  for (let i = 0; i < numberBytes; i++) {
    const at = nonce.length - numberBytes + i;
    const byte = (packet[numberAt + i] as number) ^ (mask[1 + i] as number);
    nonce[at] = (nonce[at] as number) ^ byte;
  }
  const end = Math.min(packet.length, numberAt + bytes - TAG_BYTES);
  // GCM's text is in counter mode. Its tag is not looked at: it may not have been captured.
  const counter = Uint8Array.of(...nonce, ...FIRST_COUNTER);
  const encrypted = packet.subarray(numberAt + numberBytes, end);
  return encrypt(createCipheriv("aes-128-ctr", keys.key, counter), encrypted);
}

export interface Frames {
  readonly crypto: { readonly offset: number; readonly bytes: Uint8Array }[];
  /** Error code of a close, -1 where there is none. */
  close: number;
}

/** Null where it is no text of frames: the keys were others. */
export function readFrames(text: Uint8Array): Frames | null {
  const frames: Frames = { crypto: [], close: -1 };
  let at = 0;
  const number = (): number => {
    const size = 1 << ((text[at] ?? 0) >> 6);
    let value = (text[at] ?? 0) & 0x3f;
    for (let i = 1; i < size; i++) value = value * 256 + (text[at + i] ?? 0);
    at += size;
    return value;
  };
  while (at < text.length) {
    const type = text[at++];
    if (type === 0 || type === 1) continue;
    if (type === 6) {
      const offset = number(), length = number();
      frames.crypto.push({ offset, bytes: text.subarray(at, at + length) });
      at += length;
    } else if (type === 2 || type === 3) {
      number();
      number();
      const ranges = number();
      if (ranges > text.length) return null;
      for (let left = 2 * ranges + 1 + (type === 3 ? 3 : 0); left > 0; left--) number();
    } else if (type === 0x1c) {
      frames.close = number();
      number();
      at += number();
    } else return null;
  }
  return frames;
}
