// SPDX-License-Identifier: Apache-2.0
// What a run finds out about itself: how right its links are, and what it could not see. Told at
// its end, shown while it runs, and kept in the store.

import type { Pipeline } from "../../engine/flow.ts";
import { forEach } from "../../engine/sink.ts";
import type { LossRecord, SocketEvent } from "../../model/capture_record.ts";
import type { Span, SpanRevision } from "../../model/span.ts";
import type { KernelSource } from "../../operators/sources/kernel_source.ts";
import type { Store } from "../../queries/store/store.ts";
import { accuracyLines, accuracyText } from "../accuracy/accuracy_lines.ts";
import { LinkChecks } from "../accuracy/link_checks.ts";
import { blindSpotLines } from "../blind_spots/blind_spot_lines.ts";
import { goBlindSpots } from "../blind_spots/go_blind_spots.ts";
import { nodeBlindSpots } from "../blind_spots/node_blind_spots.ts";
import { BlindSpots, isBlind } from "../blind_spots/blind_spots.ts";
import type { Paint } from "../cli/terminal/style.ts";
import { type FoundLoss, storeFindings } from "./store_findings.ts";
import type { TracingFlows } from "../trace/start_tracing.ts";

export interface Findings {
  /** What listens to the run; to be run with it. */
  readonly outputs: (flows: TracingFlows) => Pipeline[];
  /** Traces that were put together, where they are: blind spots are counted by them, too. */
  readonly addTrace: (spans: Iterable<Span>) => void;
  /** "links 99.2% right …"; "" while there is too little to say. */
  readonly footer: () => string;
  /** For the end of the run; nothing where there is nothing to say. */
  readonly lines: (paint: Paint) => string[];
  /** Writes what is new into the store, `drops` being those in all; what fails is left out. */
  readonly keep: (store: Store, drops: readonly FoundLoss[]) => Promise<void>;
}

/** How often findings are stored while a run goes on: what a kill may lose. */
const KEEP_MS = 60_000;

/** Processes whose spans are counted apart. */
const PROCESSES_MAX = 4_096;

/** Keeps findings now and then, until it is disposed of. Without a store it does nothing. */
export function keepFindings(
  findings: Findings,
  opening: Promise<Store> | undefined,
  drops: () => readonly FoundLoss[],
): Disposable {
  const keep = () => void opening?.then((store) => findings.keep(store, drops()), () => {});
  const timer = opening === undefined ? undefined : setInterval(keep, KEEP_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** `kernel`: the source, if it is live: it knows what it cannot tell of some programs. */
export function openFindings(
  kernel: Pick<KernelSource, "goPrograms" | "nodePrograms"> | null = null,
): Findings {
  const checks = new LinkChecks();
  const spots = new BlindSpots();
  /** Unix time of the spans seen since findings were kept last. */
  let [sinceNs, untilNs] = [0n, 0n];
  const stored = new Map<string, number>();
  const spansOf = new Map<number, number>();
  const ofPrograms = () => [
    ...goBlindSpots(kernel?.goPrograms() ?? [], spansOf),
    ...nodeBlindSpots(kernel?.nodePrograms() ?? [], spansOf),
  ];

  function addSpan({ span }: SpanRevision): void {
    if (sinceNs === 0n || span.start_unix_ns < sinceNs) sinceNs = span.start_unix_ns;
    if (span.end_unix_ns > untilNs) untilNs = span.end_unix_ns;
    if (span.revision > 0) return;
    spots.addSpan(span);
    const spans = spansOf.get(span.pid);
    if (spans !== undefined || spansOf.size < PROCESSES_MAX) {
      spansOf.set(span.pid, (spans ?? 0) + 1);
    }
  }

  return {
    outputs: ({ spans, records, checks: checked }) => [
      checked.into(forEach("link_checks", (check) => checks.add(check))),
      spans.into(forEach("blind_spans", addSpan)),
      records.filter(isBlind, "is_blind").into(forEach("blind_records", (record) => {
        if (isData(record)) spots.addUnseen(record);
      })),
    ],
    addTrace: (spans) => spots.addTrace(spans),
    footer: () => accuracyText(checks.rows()),
    lines: (paint) => {
      const rows = [...ofPrograms(), ...spots.rows()];
      const parts = [accuracyLines(checks.rows(), paint), blindSpotLines(rows, paint)];
      return parts.filter((lines) => lines.length > 0).flatMap((lines) => ["", ...lines]);
    },
    keep: async (store, drops) => {
      const losses = [...freshLosses([...drops, ...ofPrograms()], stored), ...spots.takeUnseen()];
      // Without a span the clock of the wall must do.
      const nowNs = BigInt(Date.now()) * 1_000_000n;
      const time = sinceNs === 0n ? { sinceNs: nowNs, untilNs: nowNs } : { sinceNs, untilNs };
      const fresh = { checks: checks.takeFresh(), losses, ...time };
      [sinceNs, untilNs] = [0n, 0n];
      await storeFindings(store, fresh);
    },
  };
}

/** What was lost beyond what is stored, which it counts as stored from now on. */
function freshLosses(drops: readonly FoundLoss[], stored: Map<string, number>): FoundLoss[] {
  return drops.flatMap(({ count, ...whose }) => {
    const key = JSON.stringify(whose);
    const fresh = count - (stored.get(key) ?? 0);
    stored.set(key, count);
    return fresh > 0 ? [{ ...whose, count: fresh }] : [];
  });
}

function isData(record: LossRecord | SocketEvent): record is SocketEvent {
  return record.kind === "data";
}
