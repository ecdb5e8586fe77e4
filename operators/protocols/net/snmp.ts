// SPDX-License-Identifier: Apache-2.0
// SNMP 1, 2c and 3.
//
//   1, 2c: SEQUENCE { version 0 or 1, community, PDU }
//   3    : SEQUENCE { version 3, SEQUENCE { id, … }, security, SEQUENCE { …, …, PDU } }
//   PDU  : a0 GET, a1 GETNEXT, a2 RESPONSE, a3 SET, a4 TRAP, a5 GETBULK, a6 INFORM, a7 TRAP,
//          a8 REPORT, each of { request id, error, error index, SEQUENCE { variable … } }
//   a variable is SEQUENCE { name OID, value }
//
// The community is a password, and is not read.

import type { Status } from "../../../model/status.ts";
import { attempt } from "../../wire/attempt.ts";
import { byteSet } from "../../wire/byte_set.ts";
import { type Cursor, Malformed } from "../../wire/cursor.ts";
import { type Claim, defineProtocol, type Make, type Step, type Way } from "../../wire/protocol.ts";
import { OCTETS, readElement, readInteger, readOid, readTagged, SEQUENCE } from "./ber.ts";

const PDUS: Readonly<Record<number, string>> = {
  0xa0: "GET",
  0xa1: "GETNEXT",
  0xa2: "RESPONSE",
  0xa3: "SET",
  0xa4: "TRAP",
  0xa5: "GETBULK",
  0xa6: "INFORM",
  0xa7: "TRAP",
  0xa8: "REPORT",
};
const REPORTABLE = 4;
const ERRORS = [
  ...["noError", "tooBig", "noSuchName", "badValue", "readOnly", "genErr", "noAccess"],
  ...["wrongType", "wrongLength", "wrongEncoding", "wrongValue", "noCreation"],
  ...["inconsistentValue", "resourceUnavailable", "commitFailed", "undoFailed"],
  ...["authorizationError", "notWritable", "inconsistentName"],
];

const FIELDS = {
  oid: { type: "string", doc: "name of the first variable" },
  variables: { type: "number", doc: "number of variables" },
  version: { type: "string", otel: "network.protocol.version", doc: "1, 2c or 3" },
  request_id: { type: "number", doc: "request id" },
  encrypted: { type: "boolean", doc: "the content is encrypted" },
  error: { type: "string", doc: "error status by name" },
} as const;
type F = typeof FIELDS;

export const snmp = defineProtocol<F, null>({
  name: "snmp",
  spec: "https://www.rfc-editor.org/rfc/rfc3416",
  transports: ["udp"],
  fields: FIELDS,
  timeoutNs: 30_000_000_000n,
  pairing: "id",
  capture: "prefix",
  starts: byteSet(SEQUENCE),
  probe,
  open: () => null,

  read(cursor, way, make) {
    const bytes = readTagged(cursor, SEQUENCE);
    cursor.enter(bytes);
    const version = readInteger(cursor);
    if (version !== 0 && version !== 1 && version !== 3) throw new Malformed("no such version");
    const step = version === 3 ? readSecure(cursor, way, make) : readPlain(cursor, version, make);
    cursor.leave();
    return step;
  },
});

function readPlain(cursor: Cursor, version: number, make: Make<F>): Step {
  cursor.skip(readTagged(cursor, OCTETS));
  return readPdu(cursor, version === 0 ? "1" : "2c", null, make);
}

function readSecure(cursor: Cursor, way: Way, make: Make<F>): Step {
  const head = readTagged(cursor, SEQUENCE) + cursor.position;
  const id = readInteger(cursor);
  readInteger(cursor);
  const flags = readTagged(cursor, OCTETS) > 0 ? cursor.u8() : 0;
  cursor.rewind(head);
  cursor.skip(readTagged(cursor, OCTETS));
  const { tag } = readElement(cursor);
  if (tag === OCTETS) {
    const draft = {
      type: "ENCRYPTED",
      id,
      fields: { version: "3", request_id: id, encrypted: true },
    };
    // Whoever sends what can be answered says so; what the client does not want answered is a trap.
    if ((flags & REPORTABLE) !== 0) return make.request(draft);
    return way === "toServer" ? make.oneway(draft) : make.response({ ...draft, status: "unknown" });
  }
  if (tag !== SEQUENCE) throw new Malformed("no scoped PDU");
  cursor.skip(readTagged(cursor, OCTETS));
  cursor.skip(readTagged(cursor, OCTETS));
  return readPdu(cursor, "3", id, make);
}

/** Version 3 pairs by the id of its header, which a REPORT repeats as well. */
function readPdu(cursor: Cursor, version: string, headId: number | null, make: Make<F>): Step {
  const { tag } = readElement(cursor);
  const type = PDUS[tag];
  if (type === undefined) throw new Malformed("no such PDU");
  if (tag === 0xa4) return readTrap(cursor, make);
  const requestId = readInteger(cursor);
  const error = readInteger(cursor);
  readInteger(cursor);
  const found = { oid: "", variables: 0 };
  attempt(() => readVariables(cursor, found));
  const { oid, variables } = found;
  const answers = tag === 0xa2 || tag === 0xa8;
  // In GETBULK the place of the error is a number of variables.
  const failed = answers && error !== 0;
  const draft = {
    type,
    resource: oid,
    endpoint: type,
    id: headId ?? requestId,
    fields: {
      ...(oid !== "" && { oid }),
      variables,
      version,
      request_id: requestId,
      ...(failed && { error: ERRORS[error] ?? String(error) }),
    },
  };
  if (answers) return make.response({ ...draft, code: error, status: statusOf(error) });
  return tag === 0xa7 ? make.oneway(draft) : make.request(draft);
}

/** A trap of version 1: enterprise, agent, what happened, when, variables. */
function readTrap(cursor: Cursor, make: Make<F>): Step {
  const found = { oid: "", variables: 0 };
  attempt(() => {
    // Enterprise, address of the agent, generic and specific trap, time.
    for (let i = 0; i < 5; i++) cursor.skip(readElement(cursor).bytes);
    readVariables(cursor, found);
  });
  const { oid, variables } = found;
  return make.oneway({
    type: "TRAP",
    resource: oid,
    endpoint: "TRAP",
    fields: { ...(oid !== "" && { oid }), variables, version: "1" },
  });
}

function readVariables(cursor: Cursor, found: { oid: string; variables: number }): void {
  const end = readTagged(cursor, SEQUENCE) + cursor.position;
  while (cursor.position < end) {
    const next = readTagged(cursor, SEQUENCE) + cursor.position;
    if (found.variables === 0) found.oid = readOid(cursor);
    cursor.rewind(next);
    found.variables++;
  }
}

/** 5 general error, 13 to 15 resources and commits: the agent's. */
function statusOf(error: number): Status {
  if (error === 0) return "ok";
  return error === 5 || (error >= 13 && error <= 15) ? "server_error" : "client_error";
}

const NO: Claim = { kind: "no" };

/** The sequence fills the datagram; a version, and for 1 and 2c a community and a PDU. */
function probe(bytes: Uint8Array, length: number): Claim {
  const first = bytes[1] ?? 0;
  const at = first < 0x80 ? 2 : first === 0x81 ? 3 : first === 0x82 ? 4 : 0;
  if (at === 0) return NO;
  let size = first;
  if (at === 3) size = bytes[2] ?? 0;
  else if (at === 4) size = (bytes[2] ?? 0) << 8 | (bytes[3] ?? 0);
  if (at + size !== length || bytes[at] !== 2 || bytes[at + 1] !== 1) return NO;
  const version = bytes[at + 2];
  if (version === 3) return bytes[at + 3] === SEQUENCE ? { kind: "either", score: 85 } : NO;
  if (version !== 0 && version !== 1 || bytes[at + 3] !== OCTETS) return NO;
  const pdu = bytes[at + 5 + (bytes[at + 4] ?? 0)] ?? 0;
  if (PDUS[pdu] === undefined) return NO;
  return {
    kind: pdu === 0xa2 ? "response" : pdu === 0xa4 || pdu === 0xa7 ? "either" : "request",
    score: 92,
  };
}
