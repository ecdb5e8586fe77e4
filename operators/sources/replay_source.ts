// SPDX-License-Identifier: Apache-2.0
// Source: a recording, fed through the same decoder as live capture. The same recording gives the
// same records and watermarks, whatever the speed and the size of reads.

import type { Source, SourceOutputs, SourceStage } from "../../engine/source.ts";
import type { CaptureRecord } from "../../model/capture_record.ts";
import type { DropReason } from "../../model/drops.ts";
import { type ByteInput, FileWindow, openInput } from "./file_window.ts";
import { recordDecoder } from "./record_decoder.ts";
import type { RecordingHeader } from "./recordings/recording_header.ts";
import { readRecordingHeader, recordReader } from "./recordings/recording_reader.ts";
import { CAPTURE_DISORDER_NS, watermarkSteps } from "./watermark_steps.ts";

export interface Replay {
  /** Facts of the host and the capture that were recorded. */
  readonly header: RecordingHeader;
  /** Reads the file from its start at each open. */
  readonly source: Source<CaptureRecord, never, DropReason>;
}

/** Throws one clear sentence when the file is no recording that can be replayed. */
export function openReplay(path: string): Replay {
  return openReplayFrom(() => openInput(path, "recording"), path);
}

/** The same over anything that gives bytes; `name` stands in messages. */
export function openReplayFrom(open: () => ByteInput, name: string, chunkBytes?: number): Replay {
  using window = new FileWindow(open(), chunkBytes);
  return {
    header: readRecordingHeader(window, name),
    source: {
      name: "recording",
      limits: ["connections", "programs"],
      open(out) {
        const window = new FileWindow(open(), chunkBytes);
        readRecordingHeader(window, name);
        return openStage(window, out);
      },
    },
  };
}

function openStage(
  window: FileWindow,
  out: SourceOutputs<CaptureRecord, never, DropReason>,
): SourceStage {
  const stepTo = watermarkSteps(CAPTURE_DISORDER_NS, out.advance);
  let emitted = 0;
  let over = false;
  const decoder = recordDecoder({
    emit(record) {
      emitted++;
      stepTo(record.emitNs);
      out.emit(record);
    },
    drop: out.drop,
  });
  const reader = recordReader(window, () => out.drop("recording_damaged"));
  const place = { at: 0, size: 0, view: new DataView(new ArrayBuffer(0)) };

  return {
    /** What one raw record leads to (the ends of a dead process's sockets) is not divided. */
    pull(recordsMax) {
      emitted = 0;
      while (emitted < recordsMax && !over && reader.next(place)) {
        decoder.decode(window.bytes, place.view, place.at, place.size);
      }
      if (emitted === 0 && window.ended && !over) {
        reader.finish();
        over = true;
      }
      return emitted;
    },
    done: () => over,
    wait: () => window.fill(),
    stop() {
      over = true;
    },
    [Symbol.dispose]: () => window[Symbol.dispose](),
  };
}
