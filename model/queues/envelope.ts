// SPDX-License-Identifier: Apache-2.0
// What is written on the outside of a message that goes through a broker: enough to know it again
// when it comes out on the other side.

/**
 * "publish": on its way to the broker. "deliver": on its way to a consumer. "receive": asks for
 * messages, which the response delivers. "settle": says that a delivered message is done with.
 */
export type EnvelopeRole = "publish" | "deliver" | "receive" | "settle";

export interface Envelope {
  readonly role: EnvelopeRole;
  /**
   * Equal on both sides of the broker: hashes of 64 bits, even, one for each message. None where
   * neither an id nor the content is known.
   */
  readonly keys: readonly bigint[];
  /** What the keys are hashes of: an id that the bytes carry, or destination and content. */
  readonly by: "id" | "content";
  /** Deliveries and what settles them on the same connection: the same text; else empty. */
  readonly receipt: string;
  /** It settles all deliveries up to this one. */
  readonly upTo: boolean;
  /** Deliveries: the response of the consumer tells that it has done what it does for it. */
  readonly isAnswered: boolean;
  /** Deliveries: the consumer had asked for it. */
  readonly isPulled: boolean;
}

/** The same message as it is stored: odd where it was delivered, even where it was published. */
export function storedKey({ role, keys, by }: Envelope, salt: bigint): bigint | null {
  const [key] = keys;
  if (key === undefined) return null;
  const even = by === "id" ? key : salted(key, salt);
  return role === "deliver" ? even | 1n : even;
}

/** The key that a publication and its deliveries have in common. */
export const publishedKey = (stored: bigint): bigint => stored & ~1n;

export const isDelivered = (stored: bigint): boolean => (stored & 1n) === 1n;

/** The finalizer of splitmix64: every bit of the input changes half of the output. Even. */
function salted(key: bigint, salt: bigint): bigint {
  let z = BigInt.asUintN(64, key ^ salt);
  z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58_476d_1ce4_e5b9n);
  z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d0_49bb_1331_11ebn);
  return (z ^ (z >> 31n)) & ~1n;
}
