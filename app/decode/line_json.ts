// SPDX-License-Identifier: Apache-2.0
// A line of `decode` as JSON, written straight as bytes.

import type { Attributes } from "../../model/message.ts";
import { LineBytes } from "../export/line_bytes.ts";
import type { DecodeLine } from "./decode_line.ts";

/** Appends the line and its end. */
export function writeLineJson(line: DecodeLine, out: LineBytes): void {
  out.append(TIME);
  if (line.unixNs >= 0n) out.long(line.unixNs);
  else out.raw(`${line.unixNs}`);
  out.append(placeBytes(line));
  out.quoted(line.request_type);
  out.append(RESOURCE);
  out.quoted(line.resource);
  out.append(DOMAIN);
  out.quoted(line.domain);
  out.append(ENDPOINT);
  out.quoted(line.endpoint);
  out.append(CODE);
  if (line.response_code === null) out.append(NULL);
  else out.number(line.response_code);
  out.append(STATUS);
  out.quoted(line.status);
  writeIds(line, out);
  writeAttributes(line.attributes, out);
  out.append(BYTES);
  out.number(line.bytes);
  out.append(line.clipped ? END_CLIPPED : END);
}

const bytesOf = (text: string) => new TextEncoder().encode(text);
const TIME = bytesOf('{"time":"');
const RESOURCE = bytesOf(',"resource":');
const DOMAIN = bytesOf(',"domain":');
const ENDPOINT = bytesOf(',"endpoint":');
const CODE = bytesOf(',"response_code":');
const STATUS = bytesOf(',"status":');
const REQUEST_ID = bytesOf(',"request_id":');
const TRACE_ID = bytesOf(',"trace_id":');
const PARENT_SPAN_ID = bytesOf(',"parent_span_id":');
const X_REQUEST_ID = bytesOf(',"x_request_id":');
const NO_IDS = bytesOf(
  ',"request_id":null,"trace_id":null,"parent_span_id":null,"x_request_id":null',
);
const ATTRIBUTES = bytesOf(',"attributes":{');
const BYTES = bytesOf('},"bytes":');
const END = bytesOf(',"clipped":false}\n');
const END_CLIPPED = bytesOf(',"clipped":true}\n');
const NULL = bytesOf("null");

/** A power of two: so many places have their bytes kept. */
const PLACES_KEPT = 1_024;

interface Place {
  readonly flow: string;
  readonly direction: DecodeLine["direction"];
  readonly protocol: string;
  readonly message: DecodeLine["message"];
  readonly bytes: Uint8Array;
}

const places: (Place | undefined)[] = new Array(PLACES_KEPT).fill(undefined);

/** What comes before the type: a third of a line, and the same for many of a connection. */
function placeBytes({ flow, direction, protocol, message }: DecodeLine): Uint8Array {
  const slot = slotOf(flow, direction);
  const known = places[slot];
  const same = known !== undefined && known.flow === flow && known.direction === direction &&
    known.protocol === protocol && known.message === message;
  if (same) return known.bytes;
  const out = new LineBytes();
  out.raw('","flow":');
  out.quoted(flow);
  out.raw(`,"direction":"${direction}","protocol":`);
  out.quoted(protocol);
  out.raw(`,"message":"${message}","request_type":`);
  const bytes = out.written().slice();
  places[slot] = { flow, direction, protocol, message, bytes };
  return bytes;
}

/** The client comes first in a flow: its address and port tell flows apart. */
function slotOf(flow: string, direction: DecodeLine["direction"]): number {
  let hash = direction === "to_server" ? 1 : 0;
  for (let i = 0; i < flow.length; i++) {
    const code = flow.charCodeAt(i);
    if (code === SPACE) break;
    hash = Math.imul(hash, 31) + code | 0;
  }
  return (hash ^ hash >>> 11) & (PLACES_KEPT - 1);
}

const SPACE = 32;

function writeIds(line: DecodeLine, out: LineBytes): void {
  const { request_id, trace_id, parent_span_id, x_request_id } = line;
  if (request_id === null && trace_id === null && x_request_id === null) {
    if (parent_span_id === null) return out.append(NO_IDS);
  }
  writeText(REQUEST_ID, request_id, out);
  writeText(TRACE_ID, trace_id, out);
  writeText(PARENT_SPAN_ID, parent_span_id, out);
  writeText(X_REQUEST_ID, x_request_id, out);
}

function writeText(key: Uint8Array, value: string | null, out: LineBytes): void {
  out.append(key);
  if (value === null) out.append(NULL);
  else out.quoted(value);
}

function writeAttributes(attributes: Attributes, out: LineBytes): void {
  out.append(ATTRIBUTES);
  let before = "";
  for (const name in attributes) {
    const value = attributes[name];
    if (value === undefined) continue;
    out.raw(before);
    out.quoted(name);
    out.raw(":");
    if (typeof value === "string") out.quoted(value);
    else if (typeof value === "number") out.number(value);
    else out.raw(`${value}`);
    before = ",";
  }
}
