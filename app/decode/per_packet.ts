// SPDX-License-Identifier: Apache-2.0
// Decodes packet by packet, in the order of the file, without TCP reassembly. The way of a packet
// is told by the port that the first one went to.

import type { SocketEvent } from "../../model/capture_record.ts";
import { type AnyProtocol, createRegistry, type Registry } from "../../operators/wire/registry.ts";
import type { OpenLines } from "./open_lines.ts";
import { PacketFlow, ports } from "./packet_flow.ts";

/** Connections of a file with state at a time; beyond, the oldest is forgotten. */
const FLOWS_MAX = 65_536;

export class PacketDecoder {
  readonly #registry: Registry;
  /** Those that are asked whose bytes a connection's first packet has. */
  readonly #asked: Registry;
  readonly #lines: OpenLines;
  readonly #fixed: AnyProtocol | null;
  /** In the order of their last packets. */
  readonly #flows = new Map<number, PacketFlow>();
  /** Packets to this port go to the server; -1 before the first packet. */
  #serverPort = -1;

  /**
   * `named`: everything is of these protocols, and of the first one where it looks like none;
   * empty: find out.
   */
  constructor(registry: Registry, named: readonly AnyProtocol[], lines: OpenLines) {
    this.#registry = registry;
    this.#asked = named.length === 0 ? registry : createRegistry(named);
    this.#fixed = named[0] ?? null;
    this.#lines = lines;
  }

  take(event: SocketEvent): void {
    if (event.length === 0) return;
    const { conn } = event.connection;
    const flow = this.#flows.get(conn) ?? this.#open(event);
    if (flow === null) return;
    this.#flows.delete(conn);
    this.#flows.set(conn, flow);
    if (this.#flows.size > FLOWS_MAX) this.#forgetOldest();
    flow.take(event, this.#way(event, flow));
  }

  /** No packet follows: what is still waiting for one is read as far as it goes. */
  close(): void {
    for (const flow of this.#flows.values()) flow.close();
    this.#flows.clear();
  }

  #open(event: SocketEvent): PacketFlow | null {
    const protocol = this.#claim(event);
    if (protocol === null) return null;
    return new PacketFlow(event, this.#registry, protocol, this.#fixed !== null, this.#lines);
  }

  #claim(event: SocketEvent): AnyProtocol | null {
    const { transport } = event.connection;
    const answer = this.#asked.settle(transport, event.payload, event.length);
    return answer.kind === "claimed" ? answer.protocol : this.#fixed;
  }

  /** The first packet goes to the server, unless it looks like an answer or a greeting. */
  #way(event: SocketEvent, flow: PacketFlow): "toServer" | "toClient" {
    const { from, to } = ports(event);
    if (this.#serverPort < 0) this.#serverPort = flow.serverPort;
    const known = from === this.#serverPort || to === this.#serverPort;
    return to === (known ? this.#serverPort : flow.serverPort) ? "toServer" : "toClient";
  }

  #forgetOldest(): void {
    const oldest = this.#flows.entries().next().value;
    if (oldest === undefined) return;
    oldest[1].close();
    this.#flows.delete(oldest[0]);
  }
}
