// SPDX-License-Identifier: Apache-2.0
// Operator: linked exchanges to spans, with all columns: times in Unix time, and who it was by
// process, service and container. A pure join with the facts of the stream.

import type { Join, JoinOperator, Outputs } from "../engine/operator.ts";
import type { Fact } from "../model/capture_record.ts";
import { type Address, type Connection, formatAddress } from "../model/connection.ts";
import { storedKey } from "../model/queues/envelope.ts";
import type { Exchange } from "../model/exchange.ts";
import type { LinkedExchange } from "../model/linked_exchange.ts";
import type { Attributes } from "../model/message.ts";
import type { Program } from "../model/process.ts";
import type { Span, SpanRevision } from "../model/span.ts";
import type { Nanos } from "../model/time.ts";
import { clockLine } from "./enrichment/clock_line.ts";
import { containerId } from "./enrichment/container_id.ts";
import { serviceName, type ServiceRule } from "./enrichment/service_name.ts";
import { spanName } from "./enrichment/span_name.ts";

export interface EnrichParams {
  /** Name of the host that the records came from. */
  readonly host: string;
  /** Names that the user gives to services; asked before all other rules. */
  readonly services?: readonly ServiceRule[];
  /** Names the boot of the host: salts what is kept of the content of messages. */
  readonly bootId?: string;
}

export const enrich: JoinOperator<LinkedExchange, Fact, SpanRevision, EnrichParams> = {
  name: "enrich",
  limits: [],
  open: openEnrich,
};

function openEnrich(params: EnrichParams, out: Outputs<SpanRevision>): Join<LinkedExchange, Fact> {
  const { host, services = [], bootId = "" } = params;
  const salt = saltOf(bootId);
  const clock = clockLine();
  const programTags = tagger(services);
  const textsOf = endTexts();
  return {
    left(linked) {
      const { exchange, candidates } = linked;
      const { startNs, program, connection } = exchange;
      const ends = textsOf(connection);
      const span = spanOf(linked, clock.offsetNs(startNs), programTags(program), {
        host,
        ends,
        salt,
      });
      out.emit({ span, candidates });
    },
    right(fact) {
      if (fact.kind === "clock") clock.read(fact.bootNs, fact.realNs);
    },
    advance() {},
    end() {},
    held: () => clock.pieces,
  };
}

/**
 * One literal for all spans, because this runs for each. All times of a span are converted by the
 * one offset that held at its start, so that a step of the clock never makes a duration negative.
 */
function spanOf(
  linked: LinkedExchange,
  offsetNs: Nanos,
  tags: ProgramTags,
  { host, ends, salt }: Where,
): Span {
  const { exchange, candidates, revision } = linked;
  const { connection, program, protocol, request, response } = exchange;
  const winner = candidates[0];
  const turned = isTurned(exchange);
  const asked = (request ?? response)?.message;
  const type = asked?.type ?? "";
  const endpoint = asked?.endpoint ?? "";
  const identity = request?.message.identity ?? response?.message.identity;
  const id = asked?.id ?? null;
  const envelope = asked?.envelope;
  return {
    span_id: exchange.spanId,
    parent_span_id: winner?.parent_id ?? null,
    link_evidence: winner?.evidence ?? "",
    link_confidence: winner?.score ?? 0,
    revision,
    kind: connection.observer === "nic" ? "" : exchange.kind,
    observer: connection.observer,
    protocol,
    name: spanName(protocol, type, endpoint),
    request_type: type,
    resource: asked?.resource ?? "",
    domain: asked?.domain ?? "",
    endpoint,
    response_code: response?.message.code ?? request?.message.code ?? null,
    status: exchange.status,
    shape: exchange.shape,
    request_id: id === null ? null : String(id),
    start_unix_ns: exchange.startNs + offsetNs,
    end_unix_ns: exchange.endNs + offsetNs,
    first_byte_unix_ns: response === null ? null : response.startNs + offsetNs,
    host,
    pid: program.tgid,
    tid: (request ?? response)?.tid ?? 0,
    process: program.comm,
    exe: program.exe,
    service: tags.service,
    container: tags.container,
    cgroup_id: program.cgroupId,
    netns: connection.netns,
    transport: connection.transport,
    local: turned ? ends.peerText : ends.localText,
    peer: turned ? ends.localText : ends.peerText,
    socket_id: connection.cookie,
    peer_socket_id: connection.peerCookie,
    request_offset: request?.offset ?? 0,
    request_seq: known(request?.seq),
    response_seq: known(response?.seq),
    trace_id_header: identity?.traceId ?? null,
    parent_id_header: identity?.parentId ?? null,
    x_request_id: identity?.requestId ?? null,
    message_key: envelope ? storedKey(envelope, salt) : null,
    bytes_request: exchange.bytesRequest,
    bytes_response: exchange.bytesResponse,
    is_tls: protocol === "tls",
    clipped: exchange.clipped,
    gaps: gapsOf(connection),
    attributes: attributesOf(exchange),
  };
}

/** Of packets the local end is the server's, which ports alone may have told wrongly. */
const isTurned = ({ connection, kind }: Exchange): boolean =>
  connection.observer === "nic" && connection.role === "unknown" && kind === "client";

/** Where a span was seen, and what hides the content of messages in it. */
interface Where {
  readonly host: string;
  readonly ends: EndTexts;
  readonly salt: bigint;
}

/** FNV-1a of 64 bits. */
function saltOf(bootId: string): bigint {
  let hash = 0xcbf2_9ce4_8422_2325n;
  for (let i = 0; i < bootId.length; i++) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(bootId.charCodeAt(i))) * 0x100_0000_01b3n);
  }
  return hash;
}

/** What hides part of a connection from the tracer, as words; mostly nothing. */
function gapsOf({ joinedMidstream, unseenVia }: Connection): string {
  if (unseenVia === undefined) return joinedMidstream ? "older" : "";
  return joinedMidstream ? `older ${unseenVia}` : unseenVia;
}

const known = (seq: number | undefined): number | null =>
  seq === undefined || seq === -1 ? null : seq;

/** Fields of the request, over them those of the response, over them the late ones. */
function attributesOf({ request, response, lateFields }: Exchange): Attributes {
  const asked = request?.message.fields, answered = response?.message.fields;
  if (lateFields !== null) return { ...asked, ...answered, ...lateFields };
  if (answered === undefined) return asked ?? NO_ATTRIBUTES;
  return asked === undefined ? answered : { ...asked, ...answered };
}

const NO_ATTRIBUTES: Attributes = {};

/** Both ends of a connection as text. */
interface EndTexts {
  readonly local: Address;
  readonly peer: Address;
  readonly localText: string;
  readonly peerText: string;
}

/** A power of two: texts are kept for as many connections, by the low bits of their index. */
const ENDS_KEPT = 4096;

/** Texts of addresses, made once per connection: stores compare them for every span. */
function endTexts(): (connection: Connection) => EndTexts {
  const kept: (EndTexts | undefined)[] = new Array(ENDS_KEPT).fill(undefined);
  return ({ conn, local, peer }) => {
    const slot = conn & (ENDS_KEPT - 1);
    const known = kept[slot];
    if (known?.local === local && known.peer === peer) return known;
    const localText = formatAddress(local), peerText = formatAddress(peer);
    return kept[slot] = { local, peer, localText, peerText };
  };
}

interface ProgramTags {
  readonly service: string;
  readonly container: string;
}

/** Tags of programs, worked out once for each and again when something about it became known. */
function tagger(rules: readonly ServiceRule[]): (program: Program) => ProgramTags {
  interface Known extends ProgramTags {
    readonly comm: string;
    readonly cgroup: string;
  }
  const byProgram = new WeakMap<Program, Known>();
  return (program) => {
    const known = byProgram.get(program);
    if (known?.comm === program.comm && known.cgroup === program.cgroup) return known;
    const { comm, cgroup } = program;
    const service = program.tgid === 0 ? "" : serviceName(program, rules);
    const tags = { comm, cgroup, service, container: containerId(cgroup) };
    byProgram.set(program, tags);
    return tags;
  };
}
