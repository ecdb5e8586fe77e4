// SPDX-License-Identifier: Apache-2.0
// How an exchange ended, and which of its parts were seen.

/**
 * "timeout": no response within the protocol's window; "reset": an end died or the socket closed.
 */
export type Status = "ok" | "client_error" | "server_error" | "timeout" | "reset" | "unknown";

/** "open": a stream still running; "response_only": the request was before the capture. */
export type Shape = "exchange" | "one_way" | "response_only" | "open";

export type SpanKind = "client" | "server" | "producer" | "consumer" | "internal";

/** Where the exchange was seen: at a process's system calls, on a network interface, by the app. */
export type Observer = "process" | "nic" | "app";
