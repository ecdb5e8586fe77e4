// SPDX-License-Identifier: Apache-2.0
// Source: the kernel's ring, live. Adds to it what only user space knows: clock readings, the
// processes that were there before, names of cgroups, and what the kernel had to drop. All of it
// passes as records, so a recording made beside the capture replays to the same result.

import type { Source, SourceStage } from "../../engine/source.ts";
import { type Capture, type CaptureOptions, openCapture } from "../../ffi/capture.ts";
import { openClock } from "../../ffi/clock.ts";
import { openHostFile } from "../../ffi/host_file.ts";
import { openHostFiles } from "../../ffi/host_files.ts";
import { openLibc } from "../../ffi/libc.ts";
import type { CaptureRecord } from "../../model/capture_record.ts";
import type { DropReason } from "../../model/drops.ts";
import type { VerdictFor } from "../../model/verdict.ts";
import { type GoSeen, goWatch } from "./coroutines/go_watch.ts";
import { nodeHost } from "./coroutines/node/node_host.ts";
import { type NodeSeen, type NodeWatch, nodeWatch } from "./coroutines/node/node_watch.ts";
import { unsettledGoroutines } from "./coroutines/unsettled_goroutines.ts";
import { pythonWatch } from "./coroutines/python/python_watch.ts";
import { readHostFacts } from "./host/host_facts.ts";
import { liveStage } from "./host/live_stage.ts";
import { verdictFeedback } from "./host/verdict_feedback.ts";
import type { HostFacts } from "./recordings/recording_header.ts";
import type { RecordingWriter } from "./recordings/recording_writer.ts";

export interface KernelSource extends Disposable {
  /** Opened once per capture. */
  readonly source: Source<CaptureRecord, never, DropReason>;
  readonly host: HostFacts;
  readonly capture: Capture;
  /** Go programs met so far. */
  goPrograms(): readonly GoSeen[];
  /** Node programs met so far, where they are to say for which request they write. */
  nodePrograms(): readonly NodeSeen[];
  /** Tells the kernel what to copy of a socket from now on. */
  apply(verdict: VerdictFor): void;
  /** Writes all records beside passing them on. Call before the run starts. */
  recordInto(writer: RecordingWriter): void;
}

export interface KernelSourceOptions extends CaptureOptions {
  /** Have a script in Node programs say for which request they write. Default false. */
  readonly nodeContext?: boolean;
}

/** Attaches to the kernel at once: records wait in the ring until the run pulls them. */
export function openKernelSource(options: KernelSourceOptions = {}): KernelSource {
  using stack = new DisposableStack();
  const libc = stack.use(openLibc());
  const files = openHostFiles(libc);
  const capture = stack.use(openCapture(options));
  const nowMs = () => performance.now();
  const host = { capture, files, clock: openClock(libc), nowMs };
  const verdicts = verdictFeedback(capture);
  const open = (path: string) => openHostFile(libc, path);
  const go = stack.use(goWatch({ files, open, probes: capture.go }));
  const unsettled = unsettledGoroutines(go.need);
  const python = pythonWatch({ text: files.text, open, programs: capture.python, nowMs });
  const node = options.nodeContext === true
    ? nodeWatch(nodeHost(libc, files, capture, options))
    : null;
  for (const { tgid, exe } of capture.processes) {
    go.meet(tgid, exe);
    python.meet(tgid, exe);
    node?.meet(tgid, exe);
  }
  let writer: RecordingWriter | undefined;
  let opened = false;
  const owned = stack.move();
  return {
    source: {
      name: "kernel",
      limits: ["connections", "programs"],
      open(out) {
        if (opened) throw new Error("Cannot read the kernel's ring: it is being read already");
        opened = true;
        const stage = liveStage(host, writer, {
          ...out,
          emit(record) {
            if (record.kind === "close") verdicts.forget(record.connection);
            else if (record.kind === "process" && record.what !== "seen") {
              go.take(record);
              python.take(record);
              node?.take(record);
            }
            unsettled.take(record);
            out.emit(record);
          },
        });
        return {
          ...stage,
          pull(recordsMax) {
            python.look();
            go.look(nowMs());
            return stage.pull(recordsMax);
          },
          ...(node === null ? {} : untilEnded(stage, node)),
        };
      },
    },
    host: readHostFacts(files),
    capture,
    goPrograms: go.seen,
    nodePrograms: () => node?.seen() ?? [],
    apply: verdicts.apply,
    recordInto(into) {
      if (opened) throw new Error("Cannot record this capture: it is running already");
      writer = into;
    },
    [Symbol.dispose]: () => owned.dispose(),
  };
}

/** The stage is not done before the scripts in Node programs have ended. */
function untilEnded(stage: SourceStage, node: NodeWatch): Pick<SourceStage, "stop" | "done"> {
  let hasEnded = false;
  return {
    stop() {
      void node.end().finally(() => hasEnded = true);
      stage.stop?.();
    },
    done: () => hasEnded && stage.done(),
  };
}
