// SPDX-License-Identifier: Apache-2.0
// HTTP/1.0 and HTTP/1.1.
//
// Heads are read whole; bodies are passed over by their length or chunk by chunk. A response has
// no body where its request was HEAD, so requests are queued until their responses come.

import { byteSet } from "../../../wire/byte_set.ts";
import { type Cursor, Malformed } from "../../../wire/cursor.ts";
import { defineProtocol, type Make, type Step } from "../../../wire/protocol.ts";
import type { Refinement } from "../../../wire/refinement.ts";
import { refineRequest } from "../refine_request.ts";
import { type Body, bodyPrefix, newBody, readBody, startBody } from "./http_body.ts";
import { type Head, readHead } from "./http_head.ts";
import { HTTP_FIELDS, readTarget, requestDraft, responseDraft } from "./http_message.ts";
import { probeHttp } from "./http_probe.ts";
import { scanOf } from "./http_scan.ts";

export const http = defineProtocol({
  name: "http",
  spec: "https://www.rfc-editor.org/rfc/rfc9112",
  transports: ["tcp", "unix"],
  fields: HTTP_FIELDS,
  timeoutNs: 120_000_000_000n,
  pairing: "order",
  capture: "prefix",
  starts: byteSet([0x41, 0x5a]),
  probe: probeHttp,
  open: (_transport, options): HttpState => ({
    unmask: options?.unmask === true,
    refinements: options?.refinements ?? [],
    up: newBody(),
    down: newBody(),
    waiting: [],
    asked: "",
    switching: null,
  }),
  read(cursor, way, make, state) {
    if (state.switching !== null) return { kind: "switch", to: state.switching };
    const up = way === "toServer" || (way === "unknown" && !isResponse(cursor));
    const body = up ? state.up : state.down;
    if (body.mode !== "none") return readBody(cursor, body);
    return up ? readRequest(cursor, make, state) : readResponse(cursor, make, state);
  },
  lost(state, way) {
    if (way !== "toClient") state.up = newBody();
    if (way !== "toServer") state.down = newBody();
    state.waiting.length = 0;
  },
});

type HttpMake = Make<typeof HTTP_FIELDS>;

interface HttpState {
  up: Body;
  down: Body;
  /** Requests whose responses are to come: their methods, and what they are about. */
  readonly waiting: (string | Special)[];
  /** Protocol that the last request asked to switch to. */
  asked: string;
  /** Both agreed: the next byte is of this protocol. */
  switching: string | null;
  /** Queries show the values of secret parameters. */
  readonly unmask: boolean;
  /** The user's own. */
  readonly refinements: readonly Refinement[];
}

/** A request that is about something in particular. */
interface Special {
  readonly method: string;
  readonly refinement: Refinement;
}

/** An endless stream of requests without responses must not grow a list. */
const WAITING_MAX = 1_024;
const NOTHING: Step = { kind: "nothing" };

function isResponse(cursor: Cursor): boolean {
  return cursor.peek() === 0x48 && cursor.peek(1) === 0x54 && cursor.peek(2) === 0x54 &&
    cursor.peek(3) === 0x50 && cursor.peek(4) === 0x2f;
}

function readRequest(cursor: Cursor, make: HttpMake, state: HttpState): Step {
  const head = readHead(cursor);
  if (head.code !== 0) throw new Malformed("response where a request was expected");
  const url = readTarget(head, state.unmask);
  const host = url.host !== "" ? url.host : head.host;
  const found = refineRequest(head, url, host, () => bodyPrefix(cursor, head), state.refinements);
  startBody(cursor, state.up, head, head.contentLength > 0 || head.chunked);
  // No byte of its body came before the next request: it had none.
  if (state.down.unsure) state.down = newBody();
  const refinement = found?.refinement ?? null;
  if (state.waiting.length < WAITING_MAX) {
    state.waiting.push(refinement === null ? head.method : { method: head.method, refinement });
  }
  state.asked = head.upgrade;
  const draft = requestDraft(head, url, state.up.mode !== "none", found?.refined ?? null);
  return make.request(refinement?.answer === undefined ? draft : { ...draft, whole: true });
}

function readResponse(cursor: Cursor, make: HttpMake, state: HttpState): Step {
  const head = readHead(cursor);
  const code = head.code;
  if (code === 0) throw new Malformed("request where a response was expected");
  if (code < 200 && code !== 101) return NOTHING;
  const asked = state.waiting.shift() ?? "";
  const method = typeof asked === "string" ? asked : asked.method;
  state.down.unsure = asked === "";
  const scan = scanOf(head, typeof asked === "string" ? null : asked.refinement);
  startBody(cursor, state.down, head, hasBody(head, method), scan);
  if (code === 101) state.switching = switchName(head.upgrade === "" ? state.asked : head.upgrade);
  else if (method === "CONNECT" && code < 300) state.switching = "";
  const draft = responseDraft(head, state.down.mode !== "none");
  return make.response(scan === null ? draft : { ...draft, whole: true });
}

function hasBody(head: Head, method: string): boolean {
  if (head.code === 101 || head.code === 204 || head.code === 304) return false;
  return method !== "HEAD" && !(method === "CONNECT" && head.code < 300) &&
    (head.chunked || head.contentLength !== 0);
}

/** Name of the protocol that an Upgrade header asks for. */
function switchName(upgrade: string): string {
  const name = (upgrade.split(/[,/ ]/, 1)[0] ?? "").toLowerCase();
  return name === "h2c" ? "http2" : name;
}
