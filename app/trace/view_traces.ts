// SPDX-License-Identifier: Apache-2.0
// `trace` on a terminal: the live view over the spans of the last moments.

import { readApplicationSpans } from "./application_spans.ts";
import { knownProtocols } from "../protocols/known_protocols.ts";
import { printGraph } from "../../engine/print_graph.ts";
import { forEach } from "../../engine/sink.ts";
import { LIMITS } from "../../model/limits.ts";
import type { SpanRevision } from "../../model/span.ts";
import type { TraceFlags } from "../cli/commands/trace.ts";
import { openLiveView } from "../cli/live/live_view.ts";
import type { LiveData } from "../cli/live/live_data.ts";
import { paintFor } from "../cli/terminal/style.ts";
import { keepFindings, openFindings } from "../findings/findings.ts";
import { onInterrupt } from "./ending/interrupts.ts";
import type { RecordSource } from "./record_source.ts";
import { type RecentTrace, RecentTraces } from "../views/recent_traces.ts";
import { sayEnd } from "./run_report.ts";
import { ServiceStats } from "../views/service_stats.ts";
import { startTracing, type Tracing } from "./start_tracing.ts";
import { CLOSE_MS_MAX, openTraceStore, type TraceStore } from "./trace_store.ts";
import { usageMeter } from "./vitals.ts";
import { traceWaterfall, waterfallLines } from "../views/waterfall_text.ts";
import { storedWaterfalls } from "./stored_waterfalls.ts";

/** Rows of the lists of traces: more than a screen shows, so that filters find something. */
const TRACES_SHOWN_MAX = 500;
/** Rates of the graph are taken over at least this long. */
const GRAPH_MS = 2_000;

export async function viewTraces(input: RecordSource, flags: TraceFlags): Promise<void> {
  using source = input;
  const picture = newPicture(source);
  await using store = openTraceStore(source, flags);
  const stored = storedWaterfalls(store);
  const findings = openFindings(source.kernel);
  await using tracing = startTracing(source, {
    outputs: (flows) => [
      flows.spans.into(forEach("live_view", picture.add)),
      flows.spans.into(store.sink),
      ...findings.outputs(flows),
    ],
    ...(flags.protocol === undefined ? {} : { protocols: flags.protocol }),
    keepPayload: flags.keepPayload === true,
    known: await knownProtocols(flags),
    ...(flags.service === undefined ? {} : { services: flags.service }),
    ...await readApplicationSpans(flags),
  });
  using _keeping = keepFindings(
    findings,
    flags.db === undefined ? undefined : store.opening,
    () => tracing.counts().drops,
  );
  const stop = () => void tracing.stop();
  using _interrupts = onInterrupt(stop);
  const timer = flags.duration === undefined ? undefined : setTimeout(stop, flags.duration);
  const quitting = Promise.withResolvers<void>();
  {
    using _view = openLiveView({
      collect: () => picture.collect(tracing, store, findings.footer()),
      waterfall: (id, columns, paint) => {
        const recent = picture.traceOf(id);
        const trace = stored.lookUp(id, recent);
        if (trace !== null) return traceWaterfall(trace, columns, paint);
        return recent && waterfallLines(recent.spans.map(({ span }) => span), columns, paint);
      },
      graph: graphLines(tracing),
      paint: paintFor(true, (name) => Deno.env.get(name)),
      quit: quitting.resolve,
    });
    // A file that has been read stays in view until the user leaves.
    const ended = source.kernel === null ? tracing.finished.then(() => quitting.promise) : null;
    await Promise.race([ended ?? tracing.finished, quitting.promise]);
  }
  clearTimeout(timer);
  await tracing.stop();
  const { drops } = tracing.counts();
  const closed = flags.db === undefined
    ? store.close(0) // what is in memory only need not be waited for
    : store.close(CLOSE_MS_MAX, (opened) => findings.keep(opened, drops));
  source[Symbol.dispose](); // while the store, another thread, writes what is left
  await closed;
  sayEnd(tracing, {
    showGraph: flags.showGraph === true,
    isQuiet: false,
    problem: store.problem(),
    findings: findings.lines(paintFor(Deno.stderr.isTerminal(), (name) => Deno.env.get(name))),
  });
}

/** The graph with rates since it was last drawn. */
function graphLines(tracing: Tracing): () => string[] {
  let before = tracing.run.meters();
  return () => {
    const now = tracing.run.meters();
    const text = printGraph(tracing.run.graph, { now, before, limits: LIMITS });
    // Drawn at a key and then twice a second: rates over less than that would jump.
    if (now.elapsedMs - before.elapsedMs > GRAPH_MS) before = now;
    return text.trimEnd().split("\n");
  };
}

/** What the view shows, kept up to date span by span. */
function newPicture(source: RecordSource) {
  const [traces, services] = [new RecentTraces(), new ServiceStats()];
  const usage = usageMeter();
  let spans = 0;
  /** Live: the wall clock. From a file: the newest span, so that rates are those of the file. */
  let newestNs = 0n;
  const nowNs = () => source.kernel === null ? newestNs : BigInt(Date.now()) * 1_000_000n;
  return {
    add(revision: SpanRevision): void {
      const { revision: number, end_unix_ns } = revision.span;
      if (number === 0) spans++;
      if (end_unix_ns > newestNs) newestNs = end_unix_ns;
      const now = nowNs();
      traces.add(revision, now);
      services.add(revision, now);
    },
    collect(tracing: Tracing, store: TraceStore, accuracy: string): LiveData {
      const { events, drops, expired } = tracing.counts();
      return {
        scope: source.scope,
        services: services.rows(nowNs()),
        newest: traces.newest(TRACES_SHOWN_MAX, () => true),
        slowest: traces.slowest(TRACES_SHOWN_MAX, () => true),
        vitals: {
          ...usage(events),
          spans,
          expired,
          path: source.path,
          drops,
          accuracy,
          notice: store.problem(),
        },
      };
    },
    traceOf: (id: string): RecentTrace | null => traces.get(BigInt(`0x${id}`)),
  };
}
