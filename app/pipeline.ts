// SPDX-License-Identifier: Apache-2.0
// The tracing dataflow: records in, spans out. Every operator of it, in order, in one place.

import type { Flow } from "../engine/flow.ts";
import { type CaptureRecord, isFact, isSocketRecord } from "../model/capture_record.ts";
import type { SpanRevision } from "../model/span.ts";
import type { VerdictFor } from "../model/verdict.ts";
import { appJoin, type AppJoinParams } from "../operators/app_join.ts";
import { decode } from "../operators/decode.ts";
import { enrich } from "../operators/enrich.ts";
import { infer } from "../operators/infer.ts";
import type { ServiceRule } from "../operators/enrichment/service_name.ts";
import { link } from "../operators/link/link.ts";
import { PROTOCOLS } from "../operators/protocols/registry.gen.ts";
import { reassemble } from "../operators/reassemble.ts";
import { sessionWindow } from "../operators/session_window.ts";
import { type LinkCheck, selfCheck } from "../operators/self_check.ts";
import { spanJoin } from "../operators/span_join.ts";
import { type AnyProtocol, createRegistry } from "../operators/wire/registry.ts";
import { unmasked } from "../operators/wire/unmasked.ts";
import { payloadKeeper } from "./keep_payload.ts";

export interface PipelineOptions {
  /** The host that the records came from; both empty for packets of a capture file. */
  readonly host: { readonly name: string; readonly bootId: string };
  /** Mask no values, and give spans the captured bytes of their messages: secrets included. */
  readonly keepPayload: boolean;
  /** Protocols to look for; those of this program when absent. */
  readonly protocols?: readonly AnyProtocol[];
  /** Spans that applications wrote about themselves, to be joined with those of their sockets. */
  readonly applicationSpans?: AppJoinParams;
  /** Names that the user gives to services. */
  readonly services?: readonly ServiceRule[];
  /** Byte-counted exchanges for TCP connections of no known protocol. */
  readonly unknownTcp: boolean;
}

export interface TracePipeline {
  readonly spans: Flow<SpanRevision>;
  /** What the kernel should capture of each socket; a replay discards it. */
  readonly verdicts: Flow<VerdictFor>;
  /** Links that ids tell, compared with what is found without them; runs only where it is used. */
  readonly checks: Flow<LinkCheck>;
}

export function tracePipeline(
  records: Flow<CaptureRecord>,
  options: PipelineOptions,
): TracePipeline {
  const { host, keepPayload, unknownTcp, applicationSpans, protocols = PROTOCOLS } = options;
  const { services = [] } = options;
  const registry = createRegistry(keepPayload ? protocols.map(unmasked) : protocols);
  const facts = records.filter(isFact, "facts");
  const claimed = records.filter(isSocketRecord, "socket_records")
    .through(reassemble)
    .through(infer, { registry, unknownTcp });
  const payload = keepPayload ? payloadKeeper() : null;
  const sessions = tapped(claimed, ({ record }) => payload?.remember(record), payload)
    .through(decode)
    .through(sessionWindow, { registry, bootId: host.bootId });
  const attached = tapped(sessions, (event) => payload?.attach(event), payload);
  const linked = attached.join(facts, link);
  const joined = linked.join(facts, enrich, { host: host.name, bootId: host.bootId, services })
    .through(spanJoin, { network: false });
  const spans = applicationSpans === undefined ? joined : joined.through(appJoin, applicationSpans);
  const checks = attached.join(facts.merge(linked), selfCheck);
  return { spans, verdicts: claimed.side, checks };
}

/** The same flow, shown record by record to whoever keeps payload; untouched when no one does. */
function tapped<T>(flow: Flow<T>, look: (record: T) => void, payload: unknown): Flow<T> {
  if (payload === null) return flow;
  return flow.map((record) => {
    look(record);
    return record;
  }, "keep_payload");
}
