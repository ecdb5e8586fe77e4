// SPDX-License-Identifier: Apache-2.0
// Which span is whose parent: ranked rules, used while spans stream by and when a trace is queried.
//
// A rule gives keys to spans; a child and a parent with equal keys are judged by `fits`. The first
// rule of the table that fits wins. A false merge is worse than a missing link, so equal keys are
// never enough: times, protocol, request and ids must not conflict.

import { isDelivered } from "./queues/envelope.ts";
import { MESSAGE_RULES } from "./queues/message_rules.ts";
import type { Key, ParentRule } from "./links/parent_rule.ts";
import type { Span } from "./span.ts";

export type { Key, ParentRule } from "./links/parent_rule.ts";

/** Ends of clocks of different hosts, and calls that block before they read, may differ by this. */
export const timeMarginNs = 1_000_000_000n;

const isServer = (span: Span) => span.kind === "server" || span.kind === "consumer";
const isClient = (span: Span) => span.kind === "client" || span.kind === "producer";
const isProcess = (span: Span) => span.observer === "process";
const isNic = (span: Span) => span.observer === "nic";
const isApp = (span: Span) => span.observer === "app";
const isServerProcess = (span: Span) => isProcess(span) && isServer(span);
const isClientProcess = (span: Span) => isProcess(span) && isClient(span);

const serverFromNic: ParentRule = {
  name: "server_from_nic",
  evidence: "hop",
  because: "the same request was seen on the network, on its way to it",
  childKey: (span) => isServerProcess(span) ? flowKey(span) : null,
  parentKey: (span) => isNic(span) ? flowKey(span) : null,
  fits: sameHop,
  of: "last",
};

const serverFromClient: ParentRule = {
  name: "server_from_client",
  evidence: "hop",
  because: "the TCP sequence numbers of request and response are the same at both ends",
  childKey: (span) => isServerProcess(span) ? span.request_seq : null,
  parentKey: (span) => isClientProcess(span) ? span.request_seq : null,
  fits: sameHop,
  of: "only",
};

/** Two places on the way; at one place the same numbers again are the same request sent again. */
const nicFromNic: ParentRule = {
  name: "nic_from_nic",
  evidence: "hop",
  because: "the same request was seen on the network before",
  childKey: (span) => isNic(span) ? flowKey(span) : null,
  parentKey: (span) => isNic(span) ? flowKey(span) : null,
  fits: (child, parent) =>
    startsBefore(parent, child) && child.socket_id !== parent.socket_id
      ? sameHop(child, parent)
      : 0,
  of: "last",
};

const nicFromClient: ParentRule = {
  name: "nic_from_client",
  evidence: "hop",
  because: "the TCP sequence numbers are those that the sender used",
  childKey: (span) => isNic(span) ? flowKey(span) : null,
  parentKey: (span) => isClientProcess(span) ? flowKey(span) : null,
  fits: sameHop,
  of: "only",
};

/** Unix sockets: the socket that was written to, and the offset in the stream between the two. */
const unixServerFromClient: ParentRule = {
  name: "unix_server_from_client",
  evidence: "hop",
  because: "it was read from the socket, at the place in the stream, that was written to",
  childKey: (span) => isServerProcess(span) ? unixKey(span, span.socket_id) : null,
  parentKey: (span) => isClientProcess(span) ? unixKey(span, span.peer_socket_id) : null,
  fits: (child, parent) =>
    sameWhereKnown(idText(child.peer_socket_id), idText(parent.socket_id)) && agree(child, parent)
      ? 1
      : 0,
  of: "only",
};

/** Datagrams have no sequence number: the ports, the protocol's id, and the time. */
const udpServerFromClient: ParentRule = {
  name: "udp_server_from_client",
  evidence: "hop",
  because: "ports, the id of the protocol and time are the same at both ends",
  childKey: (span) => isServerProcess(span) ? udpKey(span, span.peer, span.local) : null,
  parentKey: (span) => isClientProcess(span) ? udpKey(span, span.local, span.peer) : null,
  fits: (child, parent) => agree(child, parent) ? (sameTuple(child, parent) ? 1 : 0.98) : 0,
  of: "only",
};

/** The parent found while streaming: context inside a process, or a hop. */
const linked: ParentRule = {
  name: "linked",
  evidence: "thread",
  because: "it was found inside the program while it ran",
  childKey: (span) => isApp(span) ? null : span.parent_span_id,
  parentKey: (span) => span.span_id,
  fits: (child, parent) =>
    overlap(child, parent) || outlives(child, parent) ? child.link_confidence : 0,
  of: "only",
};

/** A proxy passes the name of the sender's span on: it names no span of the proxy. */
const clientFromServerPassingOn: ParentRule = {
  name: "client_from_server_passing_on",
  evidence: "identity",
  because: "the sender's id was passed on unchanged",
  childKey: (span) => isClientProcess(span) ? senderKey(span) : null,
  parentKey: (span) => isServerProcess(span) ? senderKey(span) : null,
  fits: (child, parent) => sameProcess(child, parent) && encloses(parent, child) ? 0.99 : 0,
  of: "last",
};

/** The sender's span is named in the bytes that its process sent. */
const clientFromApp: ParentRule = {
  name: "client_from_app",
  evidence: "identity",
  because: "the bytes that were sent name the span of the application",
  childKey: (span) => isClientProcess(span) ? hexId(span.parent_id_header) : null,
  parentKey: (span) => isApp(span) ? span.span_id : null,
  fits: (child, parent) => sameTrace(child, parent) && overlap(child, parent) ? 1 : 0,
  of: "only",
};

/**
 * The application's server span and the process span that read the request name one sender. A
 * proxy that passes the name on has read it as well, before: the last to read it is meant.
 */
const appFromServer: ParentRule = {
  name: "app_from_server",
  evidence: "identity",
  because: "both name the same parent in another program",
  childKey: (span) => isApp(span) && !isClient(span) ? appParent(span) : null,
  parentKey: (span) => isServerProcess(span) ? hexId(span.parent_id_header) : null,
  fits: (child, parent) => {
    if (!sameTrace(child, parent) || !overlap(child, parent)) return 0;
    return sameProcess(child, parent) || child.service === parent.service ? 1 : 0.9;
  },
  of: "last",
};

const appFromApp: ParentRule = {
  name: "app_from_app",
  evidence: "identity",
  because: "the application says so",
  childKey: (span) => isApp(span) ? appParent(span) : null,
  parentKey: (span) => isApp(span) ? span.span_id : null,
  fits: (child, parent) => child.span_id !== parent.span_id && sameTrace(child, parent) ? 1 : 0,
  of: "only",
};

/** No process span of the sender was seen, but its application told of it. */
const serverFromRemoteApp: ParentRule = {
  name: "server_from_remote_app",
  evidence: "identity",
  because: "the bytes that were read name the span of the application that sent them",
  childKey: (span) => isServerProcess(span) || isNic(span) ? hexId(span.parent_id_header) : null,
  parentKey: (span) => isApp(span) ? span.span_id : null,
  fits: (child, parent) => sameTrace(child, parent) && overlap(child, parent) ? 0.95 : 0,
  of: "only",
};

/** Both ends of a hop carry the same sender's id: where no sequence number survives between. */
const serverFromClientByHeader: ParentRule = {
  name: "server_from_client_by_header",
  evidence: "identity",
  because: "both ends carry the same sender's id in their headers",
  childKey: (span) => isServerProcess(span) ? senderKey(span) : null,
  parentKey: (span) => isClientProcess(span) ? senderKey(span) : null,
  fits: (child, parent) => otherProcess(child, parent) && agree(child, parent) ? 0.9 : 0,
  of: "only",
};

/** A proxy passes the request id on: from what it read to what it sent. */
const clientFromServerByRequestId: ParentRule = {
  name: "client_from_server_by_request_id",
  evidence: "identity",
  because: "the request id was passed on",
  childKey: (span) => isClientProcess(span) ? span.x_request_id : null,
  parentKey: (span) => isServerProcess(span) ? span.x_request_id : null,
  fits: (child, parent) => sameProcess(child, parent) && encloses(parent, child) ? 0.95 : 0,
  of: "only",
};

/** ... and to whoever reads it next. */
const serverFromClientByRequestId: ParentRule = {
  name: "server_from_client_by_request_id",
  evidence: "identity",
  because: "both ends carry the same request id",
  childKey: (span) => isServerProcess(span) ? span.x_request_id : null,
  parentKey: (span) => isClientProcess(span) ? span.x_request_id : null,
  fits: (child, parent) =>
    otherProcess(child, parent) && agree(child, parent) && overlap(child, parent) ? 0.8 : 0,
  of: "only",
};

/** An application span whose own parent is nowhere: under what its process was serving. */
const orphanAppFromServer: ParentRule = {
  name: "orphan_app_from_server",
  evidence: "nesting",
  because: "its service was serving this request of the same trace all the time",
  childKey: (span) => isApp(span) ? traceOfService(span) : null,
  parentKey: (span) => isServerProcess(span) ? traceOfService(span) : null,
  fits: (child, parent) => encloses(parent, child) ? 0.7 : 0,
  of: "only",
};

/** In order of rank: of two rules that fit one child, the earlier one decides. */
export const PARENT_RULES: readonly ParentRule[] = [
  serverFromNic,
  nicFromNic,
  nicFromClient,
  serverFromClient,
  unixServerFromClient,
  udpServerFromClient,
  clientFromServerPassingOn,
  clientFromApp,
  appFromServer,
  appFromApp,
  linked,
  ...MESSAGE_RULES,
  clientFromServerByRequestId,
  serverFromRemoteApp,
  serverFromClientByHeader,
  serverFromClientByRequestId,
  orphanAppFromServer,
];

/** Those that join the ends of one hop: all that a stream of spans needs. */
export const HOP_RULES: readonly ParentRule[] = PARENT_RULES.filter((rule) =>
  rule.evidence === "hop"
);

/** Where the ends of a hop meet: the one key that all hop rules give to this span, or null. */
export function hopKey(span: Span): Key | null {
  if (isApp(span)) return null;
  if (span.transport !== "unix") return flowKey(span);
  if (isNic(span)) return null;
  return unixKey(span, isServer(span) ? span.socket_id : span.peer_socket_id);
}

/** What both ends of a hop and the network between tell alike; network spans read as servers do. */
function flowKey(span: Span): Key | null {
  if (span.transport === "tcp") return span.request_seq;
  return isServer(span) || isNic(span)
    ? udpKey(span, span.peer, span.local)
    : udpKey(span, span.local, span.peer);
}

/** Equal sequence numbers: response numbers or addresses must agree as well, or all of the text. */
function sameHop(child: Span, parent: Span): number {
  if (child.transport !== parent.transport || !agree(child, parent)) return 0;
  const bothAnswered = child.response_seq !== null && parent.response_seq !== null;
  if (bothAnswered && child.response_seq !== parent.response_seq) return 0;
  if (bothAnswered || sameTuple(child, parent)) return 1;
  return child.protocol === parent.protocol && child.resource === parent.resource ? 0.8 : 0;
}

/** They overlap in time, and nothing that both tell is different. */
function agree(child: Span, parent: Span): boolean {
  return (overlap(child, parent) || isReadLate(child, parent)) &&
    child.span_id !== parent.span_id &&
    sameWhereKnown(child.protocol, parent.protocol) &&
    sameWhereKnown(child.request_type, parent.request_type) &&
    (child.clipped || parent.clipped || sameWhereKnown(child.resource, parent.resource)) &&
    sameWhereKnown(child.request_id ?? "", parent.request_id ?? "") &&
    sameWhereKnown(child.trace_id_header ?? "", parent.trace_id_header ?? "");
}

function sameWhereKnown(a: string, b: string): boolean {
  return a === b || a === "" || b === "";
}

function overlap(a: Span, b: Span): boolean {
  return a.start_unix_ns <= b.end_unix_ns + timeMarginNs &&
    b.start_unix_ns <= a.end_unix_ns + timeMarginNs;
}

/** A consumer that is behind leaves messages in its socket until it comes to them. */
function isReadLate(child: Span, parent: Span): boolean {
  return child.message_key !== null && child.message_key === parent.message_key &&
    parent.start_unix_ns <= child.start_unix_ns;
}

/** Messages wait in brokers, and what is done for one begins when it has been delivered. */
function outlives(child: Span, parent: Span): boolean {
  return parent.start_unix_ns <= child.start_unix_ns + timeMarginNs &&
    (child.link_evidence === "message" ||
      (parent.message_key !== null && isDelivered(BigInt(parent.message_key))));
}

function encloses(outer: Span, inner: Span): boolean {
  return outer.start_unix_ns <= inner.start_unix_ns && inner.end_unix_ns <= outer.end_unix_ns;
}

/** A strict order, so that no two spans are before each other. */
function startsBefore(a: Span, b: Span): boolean {
  return a.start_unix_ns < b.start_unix_ns ||
    (a.start_unix_ns === b.start_unix_ns && a.span_id < b.span_id);
}

/** The same addresses; the other way round where the two spans are two ends of the flow. */
function sameTuple(child: Span, parent: Span): boolean {
  const isReversed = child.local === parent.peer && child.peer === parent.local;
  if (!isNic(child) && !isNic(parent)) return isReversed;
  return isReversed || (child.local === parent.local && child.peer === parent.peer);
}

function unixKey(span: Span, reader: bigint | number): bigint | null {
  if (span.transport !== "unix" || Number(reader) === 0) return null;
  return BigInt(reader) << 48n | BigInt(span.request_offset);
}

/** Empty for 0, which stands for "not known". */
function idText(id: bigint | number): string {
  return Number(id) === 0 ? "" : String(id);
}

function udpKey(span: Span, client: string, server: string): string | null {
  if (span.transport !== "udp") return null;
  return `${portOf(client)}>${portOf(server)} ${span.request_id ?? ""} ${span.protocol}`;
}

function portOf(address: string): string {
  return address.slice(address.lastIndexOf(":") + 1);
}

function sameProcess(a: Span, b: Span): boolean {
  return a.pid === b.pid && a.host === b.host;
}

function otherProcess(a: Span, b: Span): boolean {
  return !sameProcess(a, b);
}

function sameTrace(a: Span, b: Span): boolean {
  return sameWhereKnown(a.trace_id_header ?? "", b.trace_id_header ?? "");
}

function senderKey(span: Span): string | null {
  if (span.trace_id_header === null || span.parent_id_header === null) return null;
  return `${span.trace_id_header}/${span.parent_id_header}`;
}

function traceOfService(span: Span): string | null {
  return span.trace_id_header === null || span.service === ""
    ? null
    : `${span.trace_id_header} ${span.service}`;
}

/** As the application says, not as the span was joined with others since. */
function appParent(span: Span): bigint | null {
  return hexId(span.parent_id_header) ?? span.parent_span_id;
}

function hexId(hex: string | null): bigint | null {
  return hex !== null && /^[0-9a-f]{1,16}$/.test(hex) ? BigInt(`0x${hex}`) : null;
}
