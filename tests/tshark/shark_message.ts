// SPDX-License-Identifier: Apache-2.0
// A message as tshark's dissection states it, in the words that our decoders use.

import type { AttributeValue } from "../../model/message.ts";
import type { Facts } from "../conformance/facts.ts";
import type { Node } from "./pdml.ts";

/** To the server, or to the client. */
export type Way = "up" | "down";

/** Facts and fields that are not stated are not compared. */
export interface SharkMessage {
  readonly way: Way;
  /** Number of the packet in which it ends, from 1. */
  frame: number;
  facts: { -readonly [N in keyof Facts]: Facts[N] };
  readonly fields: Record<string, AttributeValue>;
}

export interface SharkReader {
  /** Our name of the protocol. */
  readonly protocol: string;
  /** What tshark calls it where it is told what a port speaks (`-d tcp.port==80,http`). */
  readonly decodeAs: readonly string[];
  /** Names of the parts of a packet that hold its messages. */
  readonly parts: readonly string[];
  /** State of one connection. */
  open(): SharkConnection;
}

export interface SharkConnection {
  /** The next part, in order; `emit` takes a message that later parts may complete. */
  take(part: Node, way: Way, emit: (draft: Draft) => SharkMessage): void;
}

export interface Draft {
  readonly facts: Facts;
  readonly fields?: Readonly<Record<string, AttributeValue | undefined>>;
}

/** What is known of the given: no empty text, nothing absent. */
export function stated<T extends object>(given: T): T {
  const entries = Object.entries(given).filter(([, value]) => value !== undefined && value !== "");
  return Object.fromEntries(entries) as T;
}
