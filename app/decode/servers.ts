// SPDX-License-Identifier: Apache-2.0
// Which end of a connection is the server, where its handshake was not seen: who is asked first.

import type { Connection } from "../../model/connection.ts";
import { LIMITS } from "../../model/limits.ts";
import type { MessageSeen, StreamEnd } from "../../model/message.ts";

/** Connections of unknown roles, each with its ends as what was said on it has shown them. */
export class Servers {
  readonly #sided = new Map<number, Connection>();

  /**
   * The connection with the server's end as `local`: the same one where ports had suggested that,
   * else with its ends exchanged.
   */
  sided({ connection, direction, message }: MessageSeen): Connection {
    if (connection.role !== "unknown") return connection;
    const known = this.#sided.get(connection.conn);
    if (known !== undefined) return known;
    if (message.kind === "oneway") return connection;
    const asked = (message.kind === "request") === (direction === "ingress");
    const { local, peer } = connection;
    const sided = asked ? connection : { ...connection, local: peer, peer: local };
    this.#sided.set(connection.conn, sided);
    if (this.#sided.size > LIMITS.connections.value) {
      for (const oldest of this.#sided.keys()) {
        this.#sided.delete(oldest);
        break;
      }
    }
    return sided;
  }

  end({ connection, direction, reason }: StreamEnd): void {
    const over = direction === "both" && reason !== "lost" && reason !== "unread";
    if (over) this.#sided.delete(connection.conn);
  }
}
