// SPDX-License-Identifier: Apache-2.0
// One run of the whole dataflow: a source, the tracing pipeline, and where its spans go.

import type { AppJoinParams } from "../../operators/app_join.ts";
import type { LinkCheck } from "../../operators/self_check.ts";
import type { AnyProtocol } from "../../operators/wire/registry.ts";
import { Flow, type Pipeline } from "../../engine/flow.ts";
import { type Run, run } from "../../engine/run.ts";
import { forEach } from "../../engine/sink.ts";
import type { ServiceRule } from "../../operators/enrichment/service_name.ts";
import type { CaptureRecord, LossRecord } from "../../model/capture_record.ts";
import type { SpanRevision } from "../../model/span.ts";
import { tracePipeline } from "../pipeline.ts";
import { asRefusal, type RecordSource } from "./record_source.ts";
import { onTaskRunnerEnd } from "./ending/task_runner.ts";
import { type Counts, countsOf } from "./vitals.ts";

/** What outputs can be attached to. */
export interface TracingFlows {
  readonly records: Flow<CaptureRecord>;
  /** Of the protocols asked for. */
  readonly spans: Flow<SpanRevision>;
  /** Links that ids tell, compared with what is found without them. */
  readonly checks: Flow<LinkCheck>;
}

export interface TracingOptions {
  /** Only spans of these protocols come out; all when absent. */
  readonly protocols?: readonly string[];
  readonly keepPayload?: boolean;
  /** Protocols to look for; those of this program when absent. */
  readonly known?: readonly AnyProtocol[];
  /** Joined with the spans of sockets. */
  readonly applicationSpans?: AppJoinParams;
  /** Names that the user gives to services. */
  readonly services?: readonly ServiceRule[];
  readonly outputs: (flows: TracingFlows) => readonly Pipeline[];
}

export interface Tracing extends AsyncDisposable {
  readonly run: Run;
  readonly counts: () => Counts;
  /**
   * Asks the source to stop and resolves when everything is through, or given up after
   * `deadlineMs`: by default what a user waits for.
   */
  readonly stop: (deadlineMs?: number) => Promise<void>;
  /** Resolves when the source has ended or was stopped; rejects with a sentence if it failed. */
  readonly finished: Promise<void>;
}

/** What is under way when the user stops has this long to come through. */
const STOP_MS_MAX = 1_000;
/** The same when it ends by itself and no one waits: a slow store may catch up. */
export const END_MS_MAX = 30_000;

/** Starts the run; records that the source holds already come first. */
export function startTracing(input: RecordSource, options: TracingOptions): Tracing {
  const losses = new Map<string, number>();
  const records = Flow.of(input.source);
  const { spans, verdicts, checks } = tracePipeline(records, {
    host: input.host,
    keepPayload: options.keepPayload ?? false,
    ...(options.known !== undefined && { protocols: options.known }),
    ...(options.applicationSpans !== undefined && { applicationSpans: options.applicationSpans }),
    ...(options.services !== undefined && { services: options.services }),
    unknownTcp: options.protocols?.includes("unknown") ?? false,
  });
  const { kernel } = input;
  const started = attempt(() =>
    run([
      ...options.outputs({ records, spans: ofProtocols(spans, options.protocols), checks }),
      records.filter(isLoss, "is_loss").into(forEach("losses", ({ reason, count }) => {
        losses.set(reason, (losses.get(reason) ?? 0) + count);
      })),
      ...(kernel === null ? [] : [verdicts.into(forEach("verdicts", kernel.apply))]),
    ])
  );
  const finished = started.finished.then(() => {}, (error) => {
    throw asRefusal(error);
  });
  finished.catch(() => {}); // whoever awaits it hears of it
  const stop = async (deadlineMs = STOP_MS_MAX) => void await started.stop({ deadlineMs });
  const runner = onTaskRunnerEnd(kernel?.capture.processes ?? [], () => void stop());
  return {
    run: started,
    counts: () => countsOf(started, losses),
    stop,
    finished,
    [Symbol.asyncDispose]: () => {
      runner[Symbol.dispose]();
      return started[Symbol.asyncDispose]();
    },
  };
}

function attempt<T>(start: () => T): T {
  try {
    return start();
  } catch (error) {
    throw asRefusal(error);
  }
}

function ofProtocols(
  spans: Flow<SpanRevision>,
  protocols: readonly string[] | undefined,
): Flow<SpanRevision> {
  if (protocols === undefined) return spans;
  const wanted = new Set(protocols);
  return spans.filter(({ span }) => wanted.has(span.protocol), "protocols");
}

function isLoss(record: CaptureRecord): record is LossRecord {
  return record.kind === "loss";
}
