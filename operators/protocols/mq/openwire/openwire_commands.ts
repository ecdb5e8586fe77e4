// SPDX-License-Identifier: Apache-2.0
// Commands and data structures of OpenWire: their names, and their fields in the order in which
// they are marshalled, up to the last that is of interest or that fills the cache.

/**
 * One field: its kind, and its name where it is kept. "cached" is an object that is sent once and
 * then meant by its index; "nested" is one that is sent each time; "text10" is a text that there
 * is from version 10 on.
 */
export type Op = readonly [
  kind:
    | "int"
    | "bool"
    | "byte"
    | "long"
    | "text"
    | "text10"
    | "bytes"
    | "properties"
    | "cached"
    | "nested"
    | "error",
  name?: string,
];

const BASE: readonly Op[] = [["int", "command_id"], ["bool", "response_required"]];

const MESSAGE: readonly Op[] = [
  ...BASE,
  ["cached", "producer"],
  ["cached", "destination"],
  ["cached"], // transaction
  ["cached"], // original destination
  ["nested", "message_id"],
  ["cached"], // original transaction
  ["text", "group"],
  ["int"],
  ["text", "correlation_id"],
  ["bool"],
  ["long"], // expiration
  ["byte"], // priority
  ["nested", "reply_to"],
  ["long"], // timestamp
  ["text", "jms_type"],
  ["bytes", "body_size"],
  ["properties"],
  ["nested"],
  ["cached"], // target consumer
];

interface Command {
  readonly name: string;
  readonly ops: readonly Op[];
}

const command = (name: string, ...ops: readonly Op[]): Command => ({
  name,
  ops: [...BASE, ...ops],
});

/** By the byte that says the type. */
export const COMMANDS: Readonly<Record<number, Command>> = {
  1: { name: "WireFormatInfo", ops: [] },
  2: command("BrokerInfo", ["cached", "broker_id"], ["text", "broker_url"]),
  3: command("ConnectionInfo", ["cached", "connection"], ["text", "client_id"]),
  4: command("SessionInfo", ["cached", "session"]),
  5: command("ConsumerInfo", ["cached", "consumer"], ["bool"], ["cached", "destination"]),
  6: command("ProducerInfo", ["cached", "producer"], ["cached", "destination"]),
  7: command("TransactionInfo", ["cached", "connection"], ["cached"]),
  8: command("DestinationInfo", ["cached", "connection"], ["cached", "destination"]),
  9: command("RemoveSubscriptionInfo", ["cached", "connection"]),
  10: command("KeepAliveInfo"),
  11: command("ShutdownInfo"),
  12: command("RemoveInfo", ["cached", "removed"]),
  14: command("ControlCommand"),
  15: command("FlushCommand"),
  16: command("ConnectionError", ["error"], ["nested", "connection"]),
  17: command("ConsumerControl"),
  18: command("ConnectionControl"),
  19: command("ProducerAck", ["cached", "producer"]),
  20: command("MessagePull", ["cached", "consumer"], ["cached", "destination"]),
  21: command("MessageDispatch", ["cached", "consumer"], ["cached", "destination"], ["nested"]),
  22: command(
    "MessageAck",
    ["cached", "destination"],
    ["cached"],
    ["cached", "consumer"],
    ["byte"],
    ["nested"],
    ["nested", "message_id"],
    ["int", "messages"],
  ),
  23: { name: "ActiveMQMessage", ops: MESSAGE },
  24: { name: "ActiveMQBytesMessage", ops: MESSAGE },
  25: { name: "ActiveMQMapMessage", ops: MESSAGE },
  26: { name: "ActiveMQObjectMessage", ops: MESSAGE },
  27: { name: "ActiveMQStreamMessage", ops: MESSAGE },
  28: { name: "ActiveMQTextMessage", ops: MESSAGE },
  29: { name: "ActiveMQBlobMessage", ops: MESSAGE },
  30: command("Response", ["int", "answers"]),
  31: command("ExceptionResponse", ["int", "answers"], ["error"]),
  32: command("DataResponse", ["int", "answers"]),
  33: command("DataArrayResponse", ["int", "answers"]),
  34: command("IntegerResponse", ["int", "answers"]),
};

export const isMessage = (type: number): boolean => type >= 23 && type <= 29;

/** Objects inside of commands; the texts and numbers of an id, joined, are its text. */
export const STRUCTURES: Readonly<Record<number, readonly Op[]>> = {
  100: [["text"]], // queue, topic, temporary queue, temporary topic
  101: [["text"]],
  102: [["text"]],
  103: [["text"]],
  110: [["text10"], ["cached"], ["long"], ["long"]], // message id
  111: [["long"], ["cached"]], // local transaction
  112: [["int"], ["bytes"], ["bytes"]], // XA transaction
  120: [["text"]], // connection
  121: [["text"], ["long"]], // session
  122: [["text"], ["long"], ["long"]], // consumer
  123: [["text"], ["long"], ["long"]], // producer
  124: [["text"]], // broker
};
