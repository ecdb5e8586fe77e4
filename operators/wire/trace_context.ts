// SPDX-License-Identifier: Apache-2.0
// Trace context in headers and properties: W3C, B3, Jaeger, SkyWalking, X-Request-ID.
// One reader for every protocol that has named values: give it each name and value in turn.

import type { Identity } from "../../model/message.ts";

const HEX = /^[0-9a-f]+$/;
const REQUEST_ID_BYTES_MAX = 256;

/** W3C trace context, version 00 and what later versions keep: `00-<32 hex>-<16 hex>-<2 hex>`. */
export function parseTraceparent(value: string): Identity | null {
  if (value.length < 55 || value[2] !== "-" || value[35] !== "-" || value[52] !== "-") return null;
  const traceId = value.slice(3, 35).toLowerCase();
  const parentId = value.slice(36, 52).toLowerCase();
  if (!isId(traceId) || !isId(parentId) || value.slice(0, 2).toLowerCase() === "ff") return null;
  return { traceId, parentId };
}

/** Zipkin's single header: `{trace}-{span}[-{sampled}[-{parent}]]`. */
export function parseB3(value: string): Identity | null {
  const [trace, span] = value.toLowerCase().split("-", 3);
  if (trace === undefined || span === undefined || !isId(trace) || !isId(span)) return null;
  return { traceId: trace, parentId: span };
}

/** Jaeger: `{trace}:{span}:{parent}:{flags}`, leading zeros may be left out. */
export function parseUberTraceId(value: string): Identity | null {
  const parts = value.replaceAll("%3A", ":").toLowerCase().split(":");
  const [trace, span] = parts;
  if (parts.length !== 4 || trace === undefined || span === undefined) return null;
  const traceId = trace.padStart(trace.length > 16 ? 32 : 16, "0");
  const parentId = span.padStart(16, "0");
  return isId(traceId) && isId(parentId) ? { traceId, parentId } : null;
}

/**
 * SkyWalking v3 (sw8): `1-{b64 trace}-{b64 segment}-{span index}-…`. A SkyWalking span is a
 * segment and an index: the parent id is `{segment}-{index}`.
 */
export function parseSw8(value: string): Identity | null {
  const parts = value.split("-", 5);
  const [, trace, segment, index] = parts;
  if (trace === undefined || segment === undefined || index === undefined) return null;
  const traceId = fromBase64(trace);
  const segmentId = fromBase64(segment);
  if (traceId === null || segmentId === null || !/^\d{1,9}$/.test(index)) return null;
  return { traceId, parentId: `${segmentId}-${index}` };
}

/** SkyWalking v2 (sw6): like sw8, with the trace id second and the segment third, `#` prefixes. */
export const parseSw6 = parseSw8;

/** SkyWalking v1 (sw3): `{segment}|{span index}|…|{trace}|{sampled}`. */
export function parseSw3(value: string): Identity | null {
  const parts = value.split("|", 12);
  const [segment, index] = parts;
  const traceId = parts[7];
  if (segment === undefined || index === undefined || traceId === undefined) return null;
  if (segment === "" || traceId === "" || !/^\d{1,9}$/.test(index)) return null;
  return { traceId: traceId.replace(/^#/, ""), parentId: `${segment}-${index}` };
}

const isId = (id: string): boolean =>
  (id.length === 16 || id.length === 32) && HEX.test(id) && !/^0+$/.test(id);

function fromBase64(text: string): string | null {
  try {
    const decoded = atob(text);
    return /^[\x21-\x7e]{1,128}$/.test(decoded) ? decoded : null;
  } catch {
    return null;
  }
}

/** Names of headers that carry a request id, lower case. Users may add to them. */
export const REQUEST_ID_HEADERS: readonly string[] = ["x-request-id", "x-correlation-id"];

/**
 * Gathers an identity from named values. W3C wins, then SkyWalking, which only programs write; the
 * others proxies write as well.
 */
export class IdentityReader {
  #w3c: Identity | null = null;
  #sky: Identity | null = null;
  #other: Identity | null = null;
  #b3Trace = "";
  #b3Span = "";
  #requestId = "";

  /** Takes one header. `name` must be lower case. Cheap for names that say nothing. */
  add(name: string, value: string): void {
    switch (name) {
      case "traceparent":
        this.#w3c ??= parseTraceparent(value);
        break;
      case "b3":
        this.#other ??= parseB3(value);
        break;
      case "x-b3-traceid":
        this.#b3Trace = value.toLowerCase();
        break;
      case "x-b3-spanid":
        this.#b3Span = value.toLowerCase();
        break;
      case "uber-trace-id":
        this.#other ??= parseUberTraceId(value);
        break;
      case "sw8":
        this.#sky ??= parseSw8(value);
        break;
      case "sw6":
        this.#sky ??= parseSw6(value);
        break;
      case "sw3":
        this.#sky ??= parseSw3(value);
        break;
      default:
        if (this.#requestId === "" && REQUEST_ID_HEADERS.includes(name)) {
          this.#requestId = value.slice(0, REQUEST_ID_BYTES_MAX);
        }
    }
  }

  /** What was found, or null. */
  identity(): Identity | null {
    const b3 = isId(this.#b3Trace)
      ? { traceId: this.#b3Trace, ...(isId(this.#b3Span) && { parentId: this.#b3Span }) }
      : null;
    const context = this.#w3c ?? this.#sky ?? b3 ?? this.#other;
    if (this.#requestId === "") return context;
    return { ...context, requestId: this.#requestId };
  }
}
