// SPDX-License-Identifier: Apache-2.0
// Commands of Pulsar, from PulsarApi.proto: a command's number is that of its field in BaseCommand.

/** What the fields of a command tell. Passwords and tokens are in none of them. */
export type Meaning =
  | "topic"
  | "subscription"
  | "request"
  | "producer"
  | "consumer"
  | "sequence"
  | "count"
  | "message_id"
  | "message_ids"
  | "error"
  | "error_text"
  | "outcome"
  | "version"
  | "name"
  | "broker";

export interface Command {
  readonly name: string;
  readonly kind: "request" | "response" | "oneway";
  readonly from: "client" | "broker" | "both";
  /** Which fields tell what. */
  readonly fields: Readonly<Record<number, Meaning>>;
}

type Fields = Command["fields"];

const ask = (name: string, fields: Fields): Command => ({
  name,
  kind: "request",
  from: "client",
  fields,
});
const answer = (name: string, fields: Fields): Command => ({
  name,
  kind: "response",
  from: "broker",
  fields,
});
const tell = (name: string, from: Command["from"], fields: Fields): Command => ({
  name,
  kind: "oneway",
  from,
  fields,
});

const TRANSACTION_ANSWER: Fields = { 1: "request", 4: "error", 5: "error_text" };

export const COMMANDS: Readonly<Record<number, Command>> = {
  2: ask("CONNECT", { 1: "version", 6: "broker" }),
  3: answer("CONNECTED", { 1: "version" }),
  4: ask("SUBSCRIBE", {
    1: "topic",
    2: "subscription",
    4: "consumer",
    5: "request",
    6: "name",
  }),
  5: ask("PRODUCER", { 1: "topic", 2: "producer", 3: "request", 4: "name" }),
  6: ask("SEND", { 1: "producer", 2: "sequence", 3: "count" }),
  7: answer("SEND_RECEIPT", { 1: "producer", 2: "sequence", 3: "message_id" }),
  8: answer("SEND_ERROR", { 1: "producer", 2: "sequence", 3: "error", 4: "error_text" }),
  9: tell("MESSAGE", "broker", { 1: "consumer", 2: "message_id" }),
  10: tell("ACK", "client", { 1: "consumer", 3: "message_ids", 8: "request" }),
  11: tell("FLOW", "client", { 1: "consumer", 2: "count" }),
  12: ask("UNSUBSCRIBE", { 1: "consumer", 2: "request" }),
  13: answer("SUCCESS", { 1: "request" }),
  14: answer("ERROR", { 1: "request", 2: "error", 3: "error_text" }),
  15: ask("CLOSE_PRODUCER", { 1: "producer", 2: "request" }),
  16: ask("CLOSE_CONSUMER", { 1: "consumer", 2: "request" }),
  17: answer("PRODUCER_SUCCESS", { 1: "request", 2: "name" }),
  18: { name: "PING", kind: "request", from: "both", fields: {} },
  19: { name: "PONG", kind: "response", from: "both", fields: {} },
  20: tell("REDELIVER_UNACKNOWLEDGED_MESSAGES", "client", { 1: "consumer" }),
  21: ask("PARTITIONED_METADATA", { 1: "topic", 2: "request" }),
  22: answer("PARTITIONED_METADATA_RESPONSE", { 2: "request", 4: "error", 5: "error_text" }),
  23: ask("LOOKUP", { 1: "topic", 2: "request" }),
  24: answer("LOOKUP_RESPONSE", {
    1: "broker",
    4: "request",
    6: "error",
    7: "error_text",
  }),
  25: ask("CONSUMER_STATS", { 1: "request", 4: "consumer" }),
  26: answer("CONSUMER_STATS_RESPONSE", { 1: "request", 2: "error", 3: "error_text" }),
  27: tell("REACHED_END_OF_TOPIC", "broker", { 1: "consumer" }),
  28: ask("SEEK", { 1: "consumer", 2: "request" }),
  29: ask("GET_LAST_MESSAGE_ID", { 1: "consumer", 2: "request" }),
  30: answer("GET_LAST_MESSAGE_ID_RESPONSE", { 1: "message_id", 2: "request" }),
  31: tell("ACTIVE_CONSUMER_CHANGE", "broker", { 1: "consumer" }),
  32: ask("GET_TOPICS_OF_NAMESPACE", { 1: "request", 2: "topic" }),
  33: answer("GET_TOPICS_OF_NAMESPACE_RESPONSE", { 1: "request" }),
  34: ask("GET_SCHEMA", { 1: "request", 2: "topic" }),
  35: answer("GET_SCHEMA_RESPONSE", { 1: "request", 2: "error", 3: "error_text" }),
  36: tell("AUTH_CHALLENGE", "broker", { 1: "version" }),
  37: tell("AUTH_RESPONSE", "client", { 1: "version" }),
  38: answer("ACK_RESPONSE", { 1: "consumer", 4: "error", 5: "error_text", 6: "request" }),
  39: ask("GET_OR_CREATE_SCHEMA", { 1: "request", 2: "topic" }),
  40: answer("GET_OR_CREATE_SCHEMA_RESPONSE", { 1: "request", 2: "error", 3: "error_text" }),
  50: ask("NEW_TXN", { 1: "request" }),
  51: answer("NEW_TXN_RESPONSE", TRANSACTION_ANSWER),
  52: ask("ADD_PARTITION_TO_TXN", { 1: "request" }),
  53: answer("ADD_PARTITION_TO_TXN_RESPONSE", TRANSACTION_ANSWER),
  54: ask("ADD_SUBSCRIPTION_TO_TXN", { 1: "request" }),
  55: answer("ADD_SUBSCRIPTION_TO_TXN_RESPONSE", TRANSACTION_ANSWER),
  56: ask("END_TXN", { 1: "request" }),
  57: answer("END_TXN_RESPONSE", TRANSACTION_ANSWER),
  58: ask("END_TXN_ON_PARTITION", { 1: "request", 4: "topic" }),
  59: answer("END_TXN_ON_PARTITION_RESPONSE", TRANSACTION_ANSWER),
  60: ask("END_TXN_ON_SUBSCRIPTION", { 1: "request" }),
  61: answer("END_TXN_ON_SUBSCRIPTION_RESPONSE", TRANSACTION_ANSWER),
  62: ask("TC_CLIENT_CONNECT_REQUEST", { 2: "request" }),
  63: answer("TC_CLIENT_CONNECT_RESPONSE", { 1: "request", 2: "error", 3: "error_text" }),
  64: ask("WATCH_TOPIC_LIST", { 1: "request", 3: "topic" }),
  65: answer("WATCH_TOPIC_LIST_SUCCESS", { 1: "request" }),
  66: tell("WATCH_TOPIC_UPDATE", "broker", {}),
  67: ask("WATCH_TOPIC_LIST_CLOSE", { 1: "request" }),
  68: tell("TOPIC_MIGRATED", "broker", { 3: "broker" }),
};

/** Unknown, metadata, persistence, not ready, over quota, too many requests, no coordinator. */
const SERVER_ERRORS = new Set([0, 1, 2, 6, 7, 8, 14, 20]);
export const isServerError = (code: number): boolean => SERVER_ERRORS.has(code);
