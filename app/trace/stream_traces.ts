// SPDX-License-Identifier: Apache-2.0
// Traces as they finish, written out: a line per trace, a JSON line per span, or what a custom
// pipeline makes of them. Until the source ends, the time is over, or Ctrl-C.

import { readApplicationSpans } from "./application_spans.ts";
import { knownProtocols } from "../protocols/known_protocols.ts";
import type { Pipeline } from "../../engine/flow.ts";
import { forEach } from "../../engine/sink.ts";
import type { TraceFlags } from "../cli/commands/trace.ts";
import type { LineBytes } from "../export/line_bytes.ts";
import type { Span, SpanRevision } from "../../model/span.ts";
import { Refusal } from "../cli/context.ts";
import { paintFor } from "../cli/terminal/style.ts";
import { writeSpanLine } from "../export/span_json.ts";
import { loadCustomPipeline, resultLine } from "./custom_pipeline.ts";
import { keepFindings, openFindings } from "../findings/findings.ts";
import { onInterrupt } from "./ending/interrupts.ts";
import { asRefusal, type RecordSource } from "./record_source.ts";
import type { RecentTrace } from "../views/recent_traces.ts";
import { sayEnd, sayStart } from "./run_report.ts";
import { settleTraces } from "../views/settle_traces.ts";
import { END_MS_MAX, startTracing, type TracingFlows } from "./start_tracing.ts";
import { CLOSE_MS_MAX, openStoreFor } from "./trace_store.ts";
import { byteSink, openTextOutput, type TextOutput, textSink } from "./text_output.ts";
import { traceLine, traceLineHeader } from "../views/trace_line.ts";

export async function streamTraces(input: RecordSource, flags: TraceFlags): Promise<void> {
  using source = input;
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  using _interrupts = onInterrupt(stop);
  const custom = flags.pipeline === undefined ? null : await loadCustomPipeline(flags.pipeline);
  await using output = await openTextOutput(flags.output, stop);
  await using store = openStoreFor(source, flags);
  const whenFull = source.kernel === null ? "block" : "drop";

  const isForPrograms = flags.json === true || custom !== null;
  const findings = isForPrograms && store === null ? null : openFindings(source.kernel);

  const outputs = (flows: TracingFlows): Pipeline[] => {
    const { spans } = flows;
    const found = findings === null ? [] : findings.outputs(flows);
    const stored = store === null ? found : [spans.into(store.sink), ...found];
    if (custom !== null) {
      return [...stored, custom(spans).into(textSink("results", output, resultLine, whenFull))];
    }
    if (flags.json === true) {
      const sink = byteSink("json_lines", output, writeRevision, whenFull);
      return [...stored, spans.into(sink)];
    }
    const paint = paintFor(output.isTerminal, (name) => Deno.env.get(name));
    const lineOf = withHeader(
      output,
      traceLineHeader(paint),
      (trace: RecentTrace) => traceLine(trace, paint),
    );
    const traces = spans.through(settleTraces);
    const told = traces.into(
      forEach("blind_traces", (trace) => findings?.addTrace(spansOf(trace))),
    );
    return [...stored, told, traces.into(textSink("trace_lines", output, lineOf, whenFull))];
  };

  await using tracing = startTracing(source, {
    outputs,
    ...(flags.protocol === undefined ? {} : { protocols: flags.protocol }),
    keepPayload: flags.keepPayload === true,
    known: await knownProtocols(flags),
    ...(flags.service === undefined ? {} : { services: flags.service }),
    ...await readApplicationSpans(flags),
  });
  using _keeping = findings === null ? null : keepFindings(
    findings,
    store?.opening,
    () => tracing.counts().drops,
  );
  if (source.kernel !== null) sayStart(source);
  const timer = flags.duration === undefined
    ? undefined
    : setTimeout(() => void tracing.stop(END_MS_MAX), flags.duration);
  stopping.signal.addEventListener("abort", () => void tracing.stop());
  if (stopping.signal.aborted) await tracing.stop();
  let refusal: unknown;
  store?.opening.catch((error) => {
    refusal = asRefusal(error);
    stop();
  });
  await tracing.finished;
  clearTimeout(timer);
  const { drops } = tracing.counts();
  const limitMs = stopping.signal.aborted ? CLOSE_MS_MAX : undefined;
  const closed = store?.close(limitMs, async (opened) => await findings?.keep(opened, drops));
  source[Symbol.dispose](); // while the store, another thread, writes what is left
  stopping.signal.addEventListener("abort", () => void store?.close(CLOSE_MS_MAX));
  await closed;
  if (refusal !== undefined) throw refusal;
  sayEnd(tracing, {
    showGraph: flags.showGraph === true,
    isQuiet: isForPrograms || source.kernel === null,
    problem: store?.problem() ?? "",
    findings: isForPrograms || flags.pcap !== undefined
      ? []
      : findings?.lines(paintFor(Deno.stderr.isTerminal(), (name) => Deno.env.get(name))) ?? [],
  });
  if (output.problem() !== "") throw new Refusal("Cannot call this run complete: output was lost");
}

function writeRevision({ span }: SpanRevision, line: LineBytes): void {
  writeSpanLine(span, line);
}

function* spansOf({ spans }: RecentTrace): Generator<Span> {
  for (const { span } of spans) yield span;
}

/** The header stands before the first line, so that a run without traces prints nothing. */
function withHeader<T>(
  output: TextOutput,
  header: string,
  lineOf: (record: T) => string,
): (record: T) => string {
  let first = output.isTerminal;
  return (record) => {
    const line = first ? header + lineOf(record) : lineOf(record);
    first = false;
    return line;
  };
}
