// SPDX-License-Identifier: Apache-2.0
// Spans that applications wrote about themselves, from a file: one OTLP/JSON document, or one on
// each line.

import { LIMITS } from "../../../model/limits.ts";
import { type OtlpSpans, readDocument } from "./otlp_document.ts";

export interface ApplicationSpans extends OtlpSpans {
  /** Lines that are no OTLP document, and spans beyond the limit. */
  readonly linesMalformed: number;
  readonly overLimit: number;
}

/** Throws one clear sentence when the file cannot be read, or has no spans in it at all. */
export function readSpansFile(path: string): ApplicationSpans {
  return readSpansText(readText(path), path);
}

/** The same of the content of a file; `name` stands in messages. */
export function readSpansText(text: string, name: string): ApplicationSpans {
  const read: OtlpSpans = { spans: [], malformed: 0 };
  const whole = parse(text);
  if (whole.value !== undefined) {
    if (!readDocument(whole.value, read)) throw refusal(name, `it has no resourceSpans; ${REMEDY}`);
    return bounded(read, 0);
  }
  let linesMalformed = 0;
  let linesRead = 0;
  let problem = whole.problem;
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const document = parse(line);
    if (document.value !== undefined && readDocument(document.value, read)) linesRead++;
    else {
      if (linesMalformed++ === 0) {
        problem = `line ${index + 1} ${document.problem || "has no resourceSpans"}`;
      }
    }
  }
  if (linesRead === 0) throw refusal(name, `${problem}; ${REMEDY}`);
  return bounded(read, linesMalformed);
}

function bounded({ spans, malformed }: OtlpSpans, linesMalformed: number): ApplicationSpans {
  const overLimit = Math.max(0, spans.length - LIMITS.applicationSpans.value);
  if (overLimit > 0) spans.length = LIMITS.applicationSpans.value;
  return { spans, malformed, linesMalformed, overLimit };
}

function parse(text: string): { readonly value?: unknown; readonly problem: string } {
  try {
    return { value: JSON.parse(text), problem: "" };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { problem: `is not JSON (${reason.replace(/\s+/g, " ").slice(0, REASON_CHARS)})` };
  }
}

const REASON_CHARS = 80;

const REMEDY = "give OTLP/JSON, one document or one on each line";

function readText(path: string): string {
  try {
    const { size, isFile } = Deno.statSync(path);
    if (isFile && size > LIMITS.spansFileBytes.value) {
      const mb = LIMITS.spansFileBytes.value / 1e6;
      throw refusal(path, `it is larger than ${mb} MB; split it`);
    }
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw refusal(path, "there is no such file");
    if (error instanceof Deno.errors.PermissionDenied) {
      throw refusal(path, "no permission to read it");
    }
    if (error instanceof Deno.errors.IsADirectory) throw refusal(path, "it is a directory");
    throw error;
  }
}

function refusal(name: string, reason: string): Error {
  return new Error(`Cannot read spans from ${name}: ${reason}`);
}
