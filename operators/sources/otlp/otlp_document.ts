// SPDX-License-Identifier: Apache-2.0
// The spans of one OTLP/JSON document: resourceSpans, in them scopeSpans, in them spans.
//
// Nothing in a document is trusted: what has not the form it should have is counted, not followed.

import { LIMITS } from "../../../model/limits.ts";
import type { Attributes, AttributeValue } from "../../../model/message.ts";
import type { Span } from "../../../model/span.ts";
import { applicationSpan } from "./application_span.ts";

export interface OtlpSpans {
  readonly spans: Span[];
  /** Spans without what a span needs: ids, and times in their order. */
  malformed: number;
}

/** Adds the spans of a document; false if it is no OTLP document at all. */
export function readDocument(document: unknown, into: OtlpSpans): boolean {
  const documents = Array.isArray(document) ? document : [document];
  let isOtlp = false;
  for (const each of documents) {
    const resources = listIn(each, "resourceSpans") ?? listIn(each, "resource_spans");
    if (resources === null) continue;
    isOtlp = true;
    for (const resource of resources) readResource(resource, into);
  }
  return isOtlp;
}

function readResource(resourceSpans: unknown, into: OtlpSpans): void {
  const resource = attributesOf(fieldOf(resourceSpans, "resource"));
  const scopes = listIn(resourceSpans, "scopeSpans") ?? listIn(resourceSpans, "scope_spans") ??
    listIn(resourceSpans, "instrumentationLibrarySpans") ?? [];
  for (const scope of scopes) {
    for (const raw of listIn(scope, "spans") ?? []) {
      const span = applicationSpan(raw, attributesOf(raw), resource);
      if (span === null) into.malformed++;
      else into.spans.push(span);
    }
  }
}

/** A field of what may be an object; undefined if it is none or has no such field. */
export function fieldOf(value: unknown, name: string): unknown {
  return isObject(value) ? value[name] : undefined;
}

function listIn(value: unknown, name: string): readonly unknown[] | null {
  const list = fieldOf(value, name);
  return Array.isArray(list) ? list : null;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Attributes of one owner that are kept. */
const ATTRIBUTES_MAX = 128;

/** The list of keys and values as an object; lists and objects as their JSON. */
function attributesOf(owner: unknown): Attributes {
  const attributes: Record<string, AttributeValue> = {};
  for (const pair of (listIn(owner, "attributes") ?? []).slice(0, ATTRIBUTES_MAX)) {
    const key = fieldOf(pair, "key");
    const value = valueOf(fieldOf(pair, "value"));
    if (typeof key === "string" && key !== "" && value !== null) attributes[key] = value;
  }
  return attributes;
}

function valueOf(tagged: unknown): AttributeValue | null {
  if (!isObject(tagged)) return null;
  const { stringValue, boolValue } = tagged;
  if (typeof stringValue === "string") return cut(stringValue);
  if (typeof boolValue === "boolean") return boolValue;
  const number = tagged["intValue"] ?? tagged["doubleValue"];
  if (typeof number === "number" || typeof number === "string") {
    const value = Number(number);
    return Number.isFinite(value) ? value : cut(String(number));
  }
  const rest = tagged["arrayValue"] ?? tagged["kvlistValue"] ?? tagged["bytesValue"];
  return rest === undefined ? null : cut(JSON.stringify(rest));
}

const cut = (text: string) => text.slice(0, LIMITS.textBytes.value);
