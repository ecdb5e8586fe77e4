// SPDX-License-Identifier: Apache-2.0
// Functions of Go programs in which a goroutine begins to read for a connection that many requests
// share, to work on the request of one stream, or to send one; see bpf/go_stream.bpf.h.

import type { GoProbe } from "../../../ffi/go_probes.ts";

/** HTTP/2 as it comes with net/http, by version, and as a module of its own. */
const BUNDLED = "net/http.(*http2serverConn)";
const HTTP2 = [
  BUNDLED,
  "net/http/internal/http2.(*serverConn)",
  "golang.org/x/net/http2.(*serverConn)",
] as const;
/** First minor version of Go 1 that serves HTTP/2 unencrypted by itself; the rest is not seen. */
const BUNDLED_FROM = 24;
const RPC = "google.golang.org/grpc";

/** Functions to probe, if the program has them. */
export const streamProbes = (minor: number): typeof STREAM_PROBES =>
  STREAM_PROBES.filter(([, name]) => minor >= BUNDLED_FROM || !name.startsWith(BUNDLED));

export const STREAM_PROBES: readonly (readonly [GoProbe, string])[] = [
  ...HTTP2.flatMap((connection) =>
    [
      ["go_reads", `${connection}.readFrames`],
      ["go_handles", `${connection}.runHandler`],
    ] as const
  ),
  ["go_reads", `${RPC}/internal/transport.(*http2Server).HandleStreams`],
  ["go_reads", `${RPC}/internal/transport.(*http2Client).reader`],
  ["go_handles_rpc", `${RPC}.(*Server).handleStream`],
  ["go_sends_rpc", `${RPC}/internal/transport.(*http2Client).Write`],
  ["go_sends_rpc", `${RPC}/internal/transport.(*http2Client).write`],
];
