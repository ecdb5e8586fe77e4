// SPDX-License-Identifier: Apache-2.0
// Methods of AMQP 0-9-1, and those that RabbitMQ added: what each is, and where its names lie.

import type { Cursor } from "../../../wire/cursor.ts";

/** What a method does on its channel. "content": header and body frames follow it. */
export type MethodKind = "request" | "response" | "oneway" | "content";

export interface Method {
  readonly name: string;
  readonly kind: MethodKind;
  /** Only the server sends it, only the client, or both do. */
  readonly from: "server" | "client" | "both";
  /** Name of the request that it answers. */
  readonly answers: string;
  readonly read: (cursor: Cursor, found: MethodFound) => void;
}

/** What the arguments of a method tell. */
export interface MethodFound {
  vhost: string;
  exchange: string;
  routingKey: string;
  queue: string;
  consumerTag: string;
  deliveryTag: number;
  multiple: boolean;
  redelivered: boolean;
  noWait: boolean;
  code: number;
  text: string;
  mechanism: string;
}

export const nothingFound = (): MethodFound => ({
  vhost: "",
  exchange: "",
  routingKey: "",
  queue: "",
  consumerTag: "",
  deliveryTag: -1,
  multiple: false,
  redelivered: false,
  noWait: false,
  code: -1,
  text: "",
  mechanism: "",
});

export const shortText = (cursor: Cursor): string => cursor.text(cursor.u8());

const nothing = (): void => {};

const closing = (cursor: Cursor, found: MethodFound): void => {
  found.code = cursor.u16();
  found.text = shortText(cursor);
};

/** reserved u16 | name | …, flags in the byte at which `no-wait` has the given bit */
const exchangeDeclare = (cursor: Cursor, found: MethodFound): void => {
  cursor.skip(2);
  found.exchange = shortText(cursor);
  cursor.skip(cursor.u8());
  found.noWait = (cursor.u8() & 16) !== 0;
};
const exchangeDelete = (cursor: Cursor, found: MethodFound): void => {
  cursor.skip(2);
  found.exchange = shortText(cursor);
  found.noWait = (cursor.u8() & 2) !== 0;
};
const exchangeBind = (cursor: Cursor, found: MethodFound): void => {
  cursor.skip(2);
  cursor.skip(cursor.u8());
  found.exchange = shortText(cursor);
  found.routingKey = shortText(cursor);
  found.noWait = (cursor.u8() & 1) !== 0;
};
const queueNamed = (bit: number) => (cursor: Cursor, found: MethodFound): void => {
  cursor.skip(2);
  found.queue = shortText(cursor);
  found.noWait = (cursor.u8() & bit) !== 0;
};
const queueBind = (cursor: Cursor, found: MethodFound): void => {
  queueUnbind(cursor, found);
  found.noWait = (cursor.u8() & 1) !== 0;
};
const queueUnbind = (cursor: Cursor, found: MethodFound): void => {
  cursor.skip(2);
  found.queue = shortText(cursor);
  found.exchange = shortText(cursor);
  found.routingKey = shortText(cursor);
};
const consume = (cursor: Cursor, found: MethodFound): void => {
  cursor.skip(2);
  found.queue = shortText(cursor);
  found.consumerTag = shortText(cursor);
  found.noWait = (cursor.u8() & 8) !== 0;
};
const cancel = (cursor: Cursor, found: MethodFound): void => {
  found.consumerTag = shortText(cursor);
  found.noWait = (cursor.u8() & 1) !== 0;
};
const publish = (cursor: Cursor, found: MethodFound): void => {
  cursor.skip(2);
  found.exchange = shortText(cursor);
  found.routingKey = shortText(cursor);
};
const returned = (cursor: Cursor, found: MethodFound): void => {
  closing(cursor, found);
  found.exchange = shortText(cursor);
  found.routingKey = shortText(cursor);
};
const delivered = (cursor: Cursor, found: MethodFound): void => {
  found.deliveryTag = Number(cursor.u64());
  found.redelivered = (cursor.u8() & 1) !== 0;
  found.exchange = shortText(cursor);
  found.routingKey = shortText(cursor);
};
const deliver = (cursor: Cursor, found: MethodFound): void => {
  found.consumerTag = shortText(cursor);
  delivered(cursor, found);
};
const acknowledge = (cursor: Cursor, found: MethodFound): void => {
  found.deliveryTag = Number(cursor.u64());
};
const acknowledgeMany = (cursor: Cursor, found: MethodFound): void => {
  acknowledge(cursor, found);
  found.multiple = (cursor.u8() & 1) === 1;
};
const start = (cursor: Cursor, found: MethodFound): void => {
  cursor.skip(2);
  cursor.skip(cursor.u32());
  found.mechanism = cursor.text(cursor.u32());
};
/** The mechanism only: behind it stands the secret. */
const startOk = (cursor: Cursor, found: MethodFound): void => {
  cursor.skip(cursor.u32());
  found.mechanism = shortText(cursor);
};

type Read = Method["read"];
type From = Method["from"];

/** A request and its answer. */
const pair = (
  key: number,
  name: string,
  from: From,
  read: Read = nothing,
  readOk: Read = nothing,
  okKey: number = key + 1,
): [number, Method][] => {
  const back = from === "both" ? "both" : from === "client" ? "server" : "client";
  return [
    [key, { name, kind: "request", from, answers: "", read }],
    [okKey, { name: `${name}Ok`, kind: "response", from: back, answers: name, read: readOk }],
  ];
};
const alone = (
  key: number,
  name: string,
  kind: MethodKind,
  from: From,
  read: Read,
  answers = "",
): [number, Method] => [key, { name, kind, from, answers, read }];

const methodKey = (classId: number, methodId: number): number => classId << 16 | methodId;
const CONNECTION = 10 << 16, CHANNEL = 20 << 16, ACCESS = 30 << 16, EXCHANGE = 40 << 16;
const QUEUE = 50 << 16, BASIC = 60 << 16, CONFIRM = 85 << 16, TX = 90 << 16;

const METHODS: ReadonlyMap<number, Method> = new Map([
  ...pair(CONNECTION | 10, "Connection.Start", "server", start, startOk),
  ...pair(CONNECTION | 20, "Connection.Secure", "server"),
  ...pair(CONNECTION | 30, "Connection.Tune", "server"),
  ...pair(CONNECTION | 40, "Connection.Open", "client", (c, f) => void (f.vhost = shortText(c))),
  ...pair(CONNECTION | 50, "Connection.Close", "both", closing),
  alone(CONNECTION | 60, "Connection.Blocked", "oneway", "server", (c, f) => {
    f.text = shortText(c);
  }),
  alone(CONNECTION | 61, "Connection.Unblocked", "oneway", "server", nothing),
  ...pair(CONNECTION | 70, "Connection.UpdateSecret", "client"),
  ...pair(CHANNEL | 10, "Channel.Open", "client"),
  ...pair(CHANNEL | 20, "Channel.Flow", "both"),
  ...pair(CHANNEL | 40, "Channel.Close", "both", closing),
  ...pair(ACCESS | 10, "Access.Request", "client"),
  ...pair(EXCHANGE | 10, "Exchange.Declare", "client", exchangeDeclare),
  ...pair(EXCHANGE | 20, "Exchange.Delete", "client", exchangeDelete),
  ...pair(EXCHANGE | 30, "Exchange.Bind", "client", exchangeBind),
  ...pair(EXCHANGE | 40, "Exchange.Unbind", "client", exchangeBind, nothing, EXCHANGE | 51),
  ...pair(QUEUE | 10, "Queue.Declare", "client", queueNamed(16), (c, f) => {
    f.queue = shortText(c);
  }),
  ...pair(QUEUE | 20, "Queue.Bind", "client", queueBind),
  ...pair(QUEUE | 30, "Queue.Purge", "client", queueNamed(1)),
  ...pair(QUEUE | 40, "Queue.Delete", "client", queueNamed(4)),
  ...pair(QUEUE | 50, "Queue.Unbind", "client", queueUnbind),
  ...pair(BASIC | 10, "Basic.Qos", "client"),
  ...pair(BASIC | 20, "Basic.Consume", "client", consume, (c, f) => {
    f.consumerTag = shortText(c);
  }),
  ...pair(
    BASIC | 30,
    "Basic.Cancel",
    "both",
    cancel,
    (c, f) => void (f.consumerTag = shortText(c)),
  ),
  alone(BASIC | 40, "Basic.Publish", "content", "client", publish),
  alone(BASIC | 50, "Basic.Return", "content", "server", returned),
  alone(BASIC | 60, "Basic.Deliver", "content", "server", deliver),
  alone(BASIC | 70, "Basic.Get", "request", "client", queueNamed(0)),
  alone(BASIC | 71, "Basic.GetOk", "content", "server", delivered, "Basic.Get"),
  alone(BASIC | 72, "Basic.GetEmpty", "response", "server", nothing, "Basic.Get"),
  alone(BASIC | 80, "Basic.Ack", "oneway", "both", acknowledgeMany),
  alone(BASIC | 90, "Basic.Reject", "oneway", "client", acknowledge),
  alone(BASIC | 100, "Basic.RecoverAsync", "oneway", "client", nothing),
  ...pair(BASIC | 110, "Basic.Recover", "client"),
  alone(BASIC | 120, "Basic.Nack", "oneway", "both", acknowledgeMany),
  ...pair(CONFIRM | 10, "Confirm.Select", "client", (c, f) => void (f.noWait = c.u8() === 1)),
  ...pair(TX | 10, "Tx.Select", "client"),
  ...pair(TX | 20, "Tx.Commit", "client"),
  ...pair(TX | 30, "Tx.Rollback", "client"),
]);

export const methodOf = (classId: number, methodId: number): Method | undefined =>
  METHODS.get(methodKey(classId, methodId));
