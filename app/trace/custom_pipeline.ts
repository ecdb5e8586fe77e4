// SPDX-License-Identifier: Apache-2.0
// A pipeline of the user's own: a file whose default export makes a flow of a flow of spans.

import type { Flow } from "../../engine/flow.ts";
import { formatId, type Span, type SpanRevision } from "../../model/span.ts";
import { Refusal } from "../cli/context.ts";
import { closesSpan } from "./closed_spans.ts";

export type CustomPipeline = (spans: Flow<SpanRevision>) => Flow<unknown>;

export async function loadCustomPipeline(path: string): Promise<CustomPipeline> {
  const absolute = path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;
  let loaded: { readonly default?: unknown };
  try {
    Deno.statSync(absolute);
    loaded = await import(`file://${encodeURI(absolute)}`);
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound;
    const reason = isMissing ? "there is no such file" : messageOf(error);
    throw new Refusal(`Cannot load the pipeline ${path}: ${reason}`);
  }
  const build = loaded.default;
  if (!isFunction(build)) {
    throw new Refusal(
      `Cannot load the pipeline ${path}: it has no default export that is a function; ` +
        `write export default (spans: Flow<Span>) => …`,
    );
  }
  return (revisions) => {
    const spans = revisions.filter(closesSpan(), "closed").map(({ span }) => span, "span");
    return flowOf(build, spans, path);
  };
}

/** One line: texts as they are, everything else as JSON with ids in hex. */
export function resultLine(result: unknown): string {
  return `${typeof result === "string" ? result : JSON.stringify(result, jsonValue)}\n`;
}

function jsonValue(key: string, value: unknown): unknown {
  if (typeof value !== "bigint") return value;
  return key.endsWith("span_id") || key === "parent_id" ? formatId(value) : String(value);
}

function flowOf(
  build: (...args: never[]) => unknown,
  spans: Flow<Span>,
  path: string,
): Flow<unknown> {
  const flow: unknown = Reflect.apply(build, undefined, [spans]);
  if (isFlow(flow)) return flow;
  throw new Refusal(`Cannot run the pipeline ${path}: its function does not return a flow`);
}

function isFunction(value: unknown): value is (...args: never[]) => unknown {
  return typeof value === "function";
}

function isFlow(value: unknown): value is Flow<unknown> {
  return typeof value === "object" && value !== null && "into" in value && "port" in value;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
