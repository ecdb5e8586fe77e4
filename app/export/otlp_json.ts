// SPDX-License-Identifier: Apache-2.0
// Assembled traces as one OTLP/JSON document: ids in hex, one resource per service.

import { type AttributeValue } from "../../model/message.ts";
import { formatId, type Span } from "../../model/span.ts";
import type { ParentLink } from "../../queries/assembly/set_parents.ts";
import type { Trace, TraceNode } from "../../queries/assembly/trace.ts";
import type { TraceWriter } from "./trace_writer.ts";
import { isError, type OtelAttributes, resourceAttributes, spanAttributes } from "./semconv.ts";

/** Spans of a batch stand under one resource per service. */
export function otlpJson(): TraceWriter {
  let separator = "";
  return {
    begin: () => `{"resourceSpans":[`,
    *write(traces) {
      for (const { resource, spans } of byResource(traces)) {
        yield separator + resourceHead(resource);
        separator = "";
        for (const { traceId, node } of spans) {
          yield `${separator}\n${JSON.stringify(otlpSpan(traceId, node))}`;
          separator = ",";
        }
        yield `]}]}`;
      }
    },
    end: () => `]}\n`,
  };
}

function resourceHead(resource: OtelAttributes): string {
  const scope = { name: "spandrel", version: "0.1.0" };
  return `\n{"resource":{"attributes":${JSON.stringify(keyValues(resource))}},` +
    `"scopeSpans":[{"scope":${JSON.stringify(scope)},"spans":[`;
}

interface Resource {
  readonly resource: OtelAttributes;
  readonly spans: { readonly traceId: string; readonly node: TraceNode }[];
}

function byResource(traces: readonly Trace[]): Iterable<Resource> {
  const resources = new Map<string, Resource>();
  for (const { traceId, nodes } of traces) {
    for (const node of nodes) {
      const resource = resourceAttributes(node.span);
      const key = JSON.stringify(resource);
      const known = resources.get(key);
      if (known === undefined) resources.set(key, { resource, spans: [{ traceId, node }] });
      else known.spans.push({ traceId, node });
    }
  }
  return resources.values();
}

const KINDS = { "": 0, internal: 1, server: 2, client: 3, producer: 4, consumer: 5 } as const;
const STATUS_ERROR = 2;

function otlpSpan(traceId: string, { span, link, selfNs, isCritical }: TraceNode) {
  return {
    traceId,
    spanId: formatId(span.span_id),
    ...(link === null ? {} : { parentSpanId: formatId(link.parent.span_id) }),
    name: span.name || span.protocol,
    kind: KINDS[span.kind],
    startTimeUnixNano: String(span.start_unix_ns),
    endTimeUnixNano: String(span.end_unix_ns),
    attributes: keyValues({
      ...spanAttributes(withLink(span, link)),
      "spandrel.self_time_ns": Number(selfNs),
      "spandrel.is_critical": isCritical,
    }),
    ...(link?.evidence === "message" ? { links: [messageLink(traceId, link)] } : {}),
    status: isError(span) ? { code: STATUS_ERROR, message: span.status } : {},
  };
}

/**
 * A delivery has its publication as its parent; it is a link as well, because there may be several
 * deliveries, and a consumer is seldom what its producer waited for.
 */
function messageLink(traceId: string, { parent, evidence, confidence }: ParentLink) {
  const attributes = {
    "spandrel.link.evidence": evidence,
    [CONFIDENCE]: confidence,
  };
  return { traceId, spanId: formatId(parent.span_id), attributes: keyValues(attributes) };
}

function withLink(span: Span, link: TraceNode["link"]): Span {
  if (link === null) return { ...span, link_evidence: "", link_confidence: 0 };
  return { ...span, link_evidence: link.evidence, link_confidence: link.confidence };
}

function keyValues(attributes: OtelAttributes) {
  return Object.entries(attributes).map(([key, value]) => ({
    key,
    value: key === CONFIDENCE ? { doubleValue: value } : anyValue(value),
  }));
}

/** A share: the only number of ours that is not a count. */
const CONFIDENCE = "spandrel.link.confidence";

function anyValue(value: AttributeValue) {
  switch (typeof value) {
    case "string":
      return { stringValue: value };
    case "boolean":
      return { boolValue: value };
    default:
      return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  }
}
