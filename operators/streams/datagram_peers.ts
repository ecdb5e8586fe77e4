// SPDX-License-Identifier: Apache-2.0
// A socket that is not connected talks to many peers. Each gets a connection of its own, derived
// from the socket's, so that everything behind deals with one peer per connection.

import type { ByteRun } from "../../model/byte_run.ts";
import type { SocketEvent } from "../../model/capture_record.ts";
import type { Address, Connection } from "../../model/connection.ts";

/** Remembered: peers per socket, and sockets. Beyond, the first are forgotten and derived anew. */
const PEERS_MAX = 1_024;
const SOCKETS_MAX = 4_096;

export interface DatagramPeers {
  /** The datagram as a run, of the connection that its peer has. */
  run(event: SocketEvent): ByteRun;
  /** Forgets a socket; returns the connections derived from it. */
  close(connection: Connection): Iterable<Connection>;
}

export function datagramPeers(): DatagramPeers {
  const sockets = new Map<number, Map<string, Connection>>();
  let derived = 0;
  return {
    run(event) {
      const { connection, peer } = event;
      return runOf(event, peer === undefined ? connection : connectionTo(connection, peer));
    },
    close(connection) {
      const peers = sockets.get(connection.conn);
      sockets.delete(connection.conn);
      return peers?.values() ?? [];
    },
  };

  function connectionTo(socket: Connection, peer: Address): Connection {
    let peers = sockets.get(socket.conn);
    if (peers === undefined) {
      forgetFirst(sockets, SOCKETS_MAX);
      sockets.set(socket.conn, peers = new Map());
    }
    const key = `${peer.ip} ${peer.port}`;
    let connection = peers.get(key);
    if (connection === undefined) {
      forgetFirst(peers, PEERS_MAX);
      // Negative numbers are ours: the source counts upwards.
      connection = { ...socket, conn: -(++derived), peer };
      peers.set(key, connection);
    }
    connection.role = socket.role;
    connection.local = socket.local;
    return connection;
  }
}

/** Makes room for one more key. */
function forgetFirst<K>(map: Map<K, unknown>, max: number): void {
  for (const key of map.keys()) {
    if (map.size < max) return;
    map.delete(key);
  }
}

function runOf(event: SocketEvent, connection: Connection): ByteRun {
  return {
    kind: "bytes",
    connection,
    event,
    offset: event.streamOffset,
    gap: 0,
    length: event.length,
    bytes: event.payload,
    emitNs: event.emitNs,
  };
}
