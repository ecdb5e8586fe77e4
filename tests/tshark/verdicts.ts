// SPDX-License-Identifier: Apache-2.0
// Where we differ from tshark and why. Each argument can be checked with the capture.

export interface Verdict {
  readonly who: "ours right" | "theirs right" | "matter of taste";
  readonly why: string;
}

/** A difference as the table is asked about it. */
export interface Question {
  readonly protocol: string;
  /** Type of tshark's message, or of ours where there is no other. */
  readonly type: string;
  readonly name: string;
  readonly theirs: string;
  readonly ours: string;
}

interface Argument extends Verdict {
  readonly protocol: string;
  holds(question: Question): boolean;
}

export function verdictOn(question: Question): Verdict | null {
  const found = ARGUMENTS.find((each) =>
    each.protocol === question.protocol && each.holds(question)
  );
  return found === undefined ? null : { who: found.who, why: found.why };
}

const ARGUMENTS: readonly Argument[] = [
  {
    protocol: "amqp",
    who: "ours right",
    why: "tshark shows no message for the protocol header, the eight bytes AMQP 0 0 9 1",
    holds: ({ name, ours }) => name === "message" && /"type":"ProtocolHeader"/.test(ours),
  },
  {
    protocol: "amqp",
    who: "matter of taste",
    why: "a Close that refuses a method is the answer to that method, and itself a request that " +
      "CloseOk answers: ours are two messages of the same bytes",
    holds: ({ name, theirs, ours }) =>
      name === "message" && theirs === "none" &&
      /"type":"(Channel|Connection)\.Close".*"code":[345]/.test(ours),
  },
  {
    protocol: "dns",
    who: "matter of taste",
    why: "ours lists the records of the authority section behind the answers",
    holds: ({ name, theirs, ours }) =>
      name === "attributes.answers" && ours.startsWith(`${theirs.slice(0, -1)}; `),
  },
  {
    protocol: "http2",
    who: "matter of taste",
    why: "the stream goes on where the capture ends: ours counts its messages when it ends",
    holds: ({ name, ours }) => /_messages$/.test(name) && ours === "none",
  },
  {
    protocol: "ftp",
    who: "ours right",
    why: "ADAT, MIC, CONF and ENC (RFC 2228) carry what authenticates: ours does not show it",
    holds: ({ type, name, ours }) =>
      name === "resource" && /^(ADAT|MIC|CONF|ENC)$/.test(type) && ours === '""',
  },
  {
    protocol: "ftp",
    who: "ours right",
    why: "631 to 633 hide another reply (RFC 2228), which need not be a refusal",
    holds: ({ name, theirs, ours }) =>
      name === "status" && theirs === '"client_error"' && ours === '"ok"',
  },
  {
    protocol: "ldap",
    who: "matter of taste",
    why: "tshark puts parentheses around each two of several conditions, which are one list",
    holds: ({ name, theirs, ours }) =>
      name === "attributes.filter" && plainFilter(theirs) === plainFilter(ours),
  },
  {
    protocol: "smtp",
    who: "matter of taste",
    why: "334 asks for more of AUTH, whose answer is the reply behind it",
    holds: ({ name, theirs }) => name === "message" && theirs.includes('"code":334'),
  },
  {
    protocol: "smtp",
    who: "ours right",
    why: "commands have four letters for tshark, so that it cuts STARTTLS",
    holds: ({ theirs, ours }) => theirs === '"STAR"' && ours === '"STARTTLS"',
  },
  {
    protocol: "smtp",
    who: "ours right",
    why: "of commands and replies that share a packet (RFC 2920) tshark shows the first",
    holds: ({ name, theirs }) => name === "message" && theirs === "none",
  },
  {
    protocol: "tls",
    who: "matter of taste",
    why: "records of the handshake behind the hellos: ours shows the first of each turn, one-way",
    holds: ({ name, theirs, ours }) =>
      name === "message" && theirs === "none" && ours.startsWith('{"kind":"oneway"'),
  },
  {
    protocol: "thrift",
    who: "ours right",
    why:
      "the sequence id of the compact protocol is a plain varint (thrift-compact-protocol.md); " +
      "tshark undoes a zigzag that nobody did",
    holds: ({ name, theirs, ours }) =>
      /^(id|attributes.sequence_id)$/.test(name) &&
      zigzag(Number(ours.replaceAll('"', ""))) === Number(theirs.replaceAll('"', "")),
  },
  {
    protocol: "memcached",
    who: "ours right",
    why: "tshark does not know touch, which memcached's protocol.txt and its binary protocol have",
    holds: ({ theirs, ours }) => /touch/i.test(ours) && /^none$|Unknown opcode \(28\)/.test(theirs),
  },
  {
    protocol: "kafka",
    who: "ours right",
    why:
      "a Produce with acks=0 has no response (Kafka's protocol guide): it is one-way, and what " +
      "librdkafka's mock broker answers all the same belongs to no request",
    holds: ({ type, name, ours }) =>
      type === "Produce" && /^(type|code|attributes\.(topic|partition))$/.test(name) &&
      /^(""|none)$/.test(ours),
  },
  {
    protocol: "kafka",
    who: "matter of taste",
    why: "its request passed before the capture began: ours is a response with nothing but its " +
      "correlation id, tshark shows none",
    holds: ({ type, name, theirs }) => name === "message" && theirs === "none" && type === "",
  },
];

/** Without what joins conditions. */
const plainFilter = (text: string) => text.replaceAll(/\([&|]|[()]/g, "");

const zigzag = (n: number) => n % 2 === 0 ? n / 2 : -(n + 1) / 2;
