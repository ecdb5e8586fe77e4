// SPDX-License-Identifier: Apache-2.0
// The tracing dataflow: records in, spans out. Every operator of it, in order, in one place.

import type { Flow } from "../engine/flow.ts";
import { type CaptureRecord, isFact, isSocketRecord } from "../model/capture_record.ts";
import type { SpanRevision } from "../model/span.ts";
import type { VerdictFor } from "../model/verdict.ts";
import { decode } from "../operators/decode.ts";
import { enrich } from "../operators/enrich.ts";
import { infer } from "../operators/infer.ts";
import { link } from "../operators/link/link.ts";
import { PROTOCOLS } from "../operators/protocols/registry.gen.ts";
import { reassemble } from "../operators/reassemble.ts";
import { sessionWindow } from "../operators/session_window.ts";
import { spanJoin } from "../operators/span_join.ts";
import { createRegistry } from "../operators/wire/registry.ts";

export interface PipelineOptions {
  /** The host that the records came from; both empty for packets of a capture file. */
  readonly host: { readonly name: string; readonly bootId: string };
  readonly keepPayload: boolean;
  /** Byte-counted exchanges for TCP connections of no known protocol. */
  readonly unknownTcp: boolean;
}

export interface TracePipeline {
  readonly spans: Flow<SpanRevision>;
  /** What the kernel should capture of each socket; a replay discards it. */
  readonly verdicts: Flow<VerdictFor>;
}

export function tracePipeline(
  records: Flow<CaptureRecord>,
  { host, unknownTcp }: PipelineOptions,
): TracePipeline {
  const registry = createRegistry(PROTOCOLS);
  const facts = records.filter(isFact, "facts");
  const claimed = records.filter(isSocketRecord, "socket_records")
    .through(reassemble)
    .through(infer, { registry, unknownTcp });
  const spans = claimed
    .through(decode)
    .through(sessionWindow, { registry, bootId: host.bootId })
    .join(facts, link)
    .join(facts, enrich, { host: host.name })
    .through(spanJoin, { network: false });
  return { spans, verdicts: claimed.side };
}
