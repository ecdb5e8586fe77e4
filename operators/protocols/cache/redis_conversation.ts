// SPDX-License-Identifier: Apache-2.0
// What earlier commands mean for later messages of a Redis connection: subscriptions, MONITOR,
// replication and CLIENT REPLY change who answers what.

export interface Conversation {
  /** Confirmations to come of SUBSCRIBE and its kin beyond the one that answers the command. */
  confirmations: number;
  subscribed: boolean;
  /** Channels, patterns and sharded channels subscribed to: what UNSUBSCRIBE alone gives up. */
  readonly subscriptions: [channels: number, patterns: number, sharded: number];
  /** "asked" until the reply, then every simple string is a report. */
  monitor: "no" | "asked" | "on";
  /** The peer is a replica: the stream after the reply carries commands that nobody answers. */
  replica: "no" | "asked" | "on";
  /** CLIENT REPLY: "off" for all, "skip" for the next command. */
  mute: "no" | "off" | "skip";
  /** Commands show their arguments. */
  readonly unmask: boolean;
  /** Commands have asked for messages: replies may deliver some. */
  receives: boolean;
}

export function newConversation(unmask: boolean): Conversation {
  return {
    ...{ confirmations: 0, subscribed: false, monitor: "no", replica: "no", mute: "no" },
    ...{ unmask, receives: false, subscriptions: [0, 0, 0] },
  };
}

/** Notes a command; true when it gets no reply. */
export function note(
  conversation: Conversation,
  command: string,
  first: string,
  second: string,
  count: number,
): boolean {
  const muted = conversation.mute !== "no";
  if (conversation.mute === "skip") conversation.mute = "no";
  switch (command) {
    case "SUBSCRIBE":
    case "PSUBSCRIBE":
    case "SSUBSCRIBE":
      conversation.subscribed = true;
      conversation.subscriptions[kindOf(command)] += count - 1;
      conversation.confirmations += Math.max(0, count - 2);
      return muted;
    case "UNSUBSCRIBE":
    case "PUNSUBSCRIBE":
    case "SUNSUBSCRIBE":
      noteUnsubscribe(conversation, kindOf(command), count - 1);
      return muted;
    case "RESET":
      Object.assign(conversation, newConversation(conversation.unmask));
      return false;
    case "MONITOR":
      conversation.monitor = "asked";
      return muted;
    case "PSYNC":
    case "SYNC":
      conversation.replica = "asked";
      return false;
    case "REPLCONF":
      return first.toUpperCase() === "ACK";
    case "CLIENT":
      return first.toUpperCase() === "REPLY" ? noteReply(conversation, second) : muted;
    default:
      return muted;
  }
}

const kindOf = (command: string): 0 | 1 | 2 =>
  command[0] === "P" ? 1 : command === "SSUBSCRIBE" || command === "SUNSUBSCRIBE" ? 2 : 0;

/** Without channels it gives up all; one confirmation comes even where there are none. */
function noteUnsubscribe(conversation: Conversation, kind: 0 | 1 | 2, named: number): void {
  const { subscriptions } = conversation;
  const given = named > 0 ? named : subscriptions[kind];
  conversation.confirmations += Math.max(0, given - 1);
  subscriptions[kind] = Math.max(0, subscriptions[kind] - given);
}

/** CLIENT REPLY ON is answered, OFF and SKIP are not. */
function noteReply(conversation: Conversation, mode: string): boolean {
  switch (mode.toUpperCase()) {
    case "ON":
      conversation.mute = "no";
      return false;
    case "OFF":
      conversation.mute = "off";
      return true;
    default:
      if (conversation.mute === "no") conversation.mute = "skip";
      return true;
  }
}
