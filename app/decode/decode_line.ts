// SPDX-License-Identifier: Apache-2.0
// A message as one line: the keys that `decode` prints, and the line as people read it.

import { formatAddress } from "../../model/connection.ts";
import type { Connection } from "../../model/connection.ts";
import type { Attributes, Message } from "../../model/message.ts";
import type { Status } from "../../model/status.ts";
import type { Nanos } from "../../model/time.ts";

export interface DecodeLine {
  /** Unix time of the first byte; printed as `time`, in decimal. */
  readonly unixNs: Nanos;
  /** `client -> server`, by who asks; ASCII, as most lines then are: they are written faster. */
  readonly flow: string;
  readonly direction: "to_server" | "to_client";
  readonly protocol: string;
  readonly message: Message["kind"];
  readonly request_type: string;
  readonly resource: string;
  readonly domain: string;
  readonly endpoint: string;
  response_code: number | null;
  status: Status;
  readonly request_id: string | null;
  readonly trace_id: string | null;
  readonly parent_span_id: string | null;
  readonly x_request_id: string | null;
  attributes: Attributes;
  bytes: number;
  readonly clipped: boolean;
}

export interface Placed {
  readonly connection: Connection;
  readonly toServer: boolean;
  readonly unixNs: Nanos;
  readonly protocol: string;
  readonly bytes: number;
}

export function decodeLine(message: Message, placed: Placed): DecodeLine {
  const { connection, toServer, unixNs, protocol, bytes } = placed;
  return {
    unixNs,
    flow: flowOf(connection),
    direction: toServer ? "to_server" : "to_client",
    protocol,
    message: message.kind,
    request_type: message.type,
    resource: message.resource,
    domain: message.domain,
    endpoint: message.endpoint,
    response_code: message.code,
    status: message.status,
    request_id: message.id === null ? null : `${message.id}`,
    trace_id: message.identity?.traceId ?? null,
    parent_span_id: message.identity?.parentId ?? null,
    x_request_id: message.identity?.requestId ?? null,
    attributes: message.fields,
    bytes,
    clipped: message.clipped,
  };
}

/** A power of two: so many connections have their text kept. */
const FLOWS_KEPT = 1_024;

interface Flow {
  readonly connection: Connection;
  readonly text: string;
}

const flows: (Flow | undefined)[] = new Array(FLOWS_KEPT).fill(undefined);

/** The same for all messages of a connection: composed once while it lasts. */
function flowOf(connection: Connection): string {
  const place = connection.conn & (FLOWS_KEPT - 1);
  const known = flows[place];
  if (known?.connection === connection) return known.text;
  const text = `${formatAddress(connection.peer)} -> ${formatAddress(connection.local)}`;
  flows[place] = { connection, text };
  return text;
}

/** What became known at the end of a message. */
export interface LateFacts {
  readonly fields?: Attributes;
  readonly code?: number;
  readonly status?: Status;
  readonly bytes?: number;
}

export function addLate(line: DecodeLine, late: LateFacts): void {
  if (late.fields !== undefined) line.attributes = { ...line.attributes, ...late.fields };
  if (late.code !== undefined) line.response_code = late.code;
  if (late.status !== undefined) line.status = late.status;
  if (late.bytes !== undefined && late.bytes > 0) line.bytes = late.bytes;
}

/** `12:34:56.789  a → b  http request GET /path` */
export function lineText(line: DecodeLine): string {
  const at = new Date(Number(line.unixNs / 1_000_000n)).toISOString().slice(11, 23);
  const flow = line.flow.replace("->", line.direction === "to_server" ? "→" : "←");
  const outcome = line.message === "request"
    ? []
    : [line.response_code === null ? "" : `${line.response_code}`, line.status];
  const words = [line.protocol, line.message, line.request_type, line.resource, ...outcome];
  const clipped = line.clipped ? ["(clipped)"] : [];
  return [at, flow, ...words, ...clipped].filter((word) => word !== "").join("  ");
}
