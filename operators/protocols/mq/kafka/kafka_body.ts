// SPDX-License-Identifier: Apache-2.0
// Bodies of Kafka's requests and answers: the first topic, partition and group, the error, and the
// first batch of records. What comes behind is of no interest.

import type { Cursor } from "../../../wire/cursor.ts";
import { readBatches, type Records } from "./kafka_records.ts";
import { count, text, uvarint } from "./kafka_types.ts";

export const PRODUCE = 0, FETCH = 1, API_VERSIONS = 18;
const LIST_OFFSETS = 2, METADATA = 3, OFFSET_COMMIT = 8, OFFSET_FETCH = 9;
const DELETE_TOPICS = 20;

/** What a reader finds before the bytes at hand end. */
export interface Found {
  topic: string;
  /** Of a topic whose name the connection has not told: its uuid in hexadecimal digits. */
  topicId: string;
  topics: number;
  partition: number;
  group: string;
  /** null: the answer has none, or it was not read. */
  code: number | null;
  offset: number;
  acks: number;
  /** The first batch. */
  records: Records | null;
  /** All batches, of the first partition that is sent, of all that are fetched. */
  readonly batches: Batch[];
}

export interface Batch extends Records {
  readonly topic: string;
  readonly partition: number;
}

/** Names of topics by their uuids, as answers to Metadata tell them. */
export type TopicNames = Map<string, string>;

export const nothingFound = (): Found => ({
  topic: "",
  topicId: "",
  topics: 0,
  partition: -1,
  group: "",
  code: null,
  offset: -1,
  acks: 1,
  records: null,
  batches: [],
});

/** Requests whose first field is the group: OffsetCommit, JoinGroup, Heartbeat … */
const GROUP_FIRST = new Set([8, 11, 12, 13, 14, 47, 68, 76, 78, 79, 88, 91, 92]);
/** Requests that begin with an array of groups: OffsetFetch from 8 on, DescribeGroups … */
const GROUPS_FIRST = new Set([9, 15, 42, 69, 77, 89, 90]);
/** Requests that begin with an array of topics: CreateTopics, DeleteTopics, DeleteRecords … */
const TOPICS_FIRST = new Set([19, 20, 21, 37]);

export function readRequestBody(
  cursor: Cursor,
  key: number,
  version: number,
  flexible: boolean,
  found: Found,
  names: TopicNames,
): void {
  if (key === PRODUCE) {
    if (version >= 3) text(cursor, flexible);
    found.acks = cursor.i16();
    cursor.skip(4);
    if (!readPartition(cursor, flexible, version >= 13 ? names : null, found)) return;
    takeBatches(cursor, flexible ? uvarint(cursor) - 1 : cursor.i32(), found.partition, found);
  } else if (key === FETCH) {
    cursor.skip(version >= 15 ? 8 : 12);
    if (version >= 3) cursor.skip(4);
    if (version >= 4) cursor.skip(1);
    if (version >= 7) cursor.skip(8);
    readPartition(cursor, flexible, version >= 13 ? names : null, found);
  } else if (key === METADATA) {
    found.topics = count(cursor, flexible);
    if (version >= 10) cursor.skip(16);
    if (found.topics > 0) found.topic = text(cursor, flexible);
  } else if (key === LIST_OFFSETS) {
    cursor.skip(version >= 2 ? 5 : 4);
    readPartition(cursor, flexible, null, found);
  } else if (TOPICS_FIRST.has(key)) {
    // From 6 on DeleteTopics gives a name or, where that is null, the uuid behind it.
    readTopic(cursor, flexible, null, found);
    if (key !== DELETE_TOPICS || version < 6 || found.topic !== "" || found.topics === 0) return;
    nameTopic(uuid(cursor), names, found);
  } else {
    readGroup(cursor, key, version, flexible, found, names);
  }
}

function readGroup(
  cursor: Cursor,
  key: number,
  version: number,
  flexible: boolean,
  found: Found,
  names: TopicNames,
): void {
  if (GROUP_FIRST.has(key) || (key === 9 && version < 8) || (key === 10 && version < 4)) {
    found.group = text(cursor, flexible);
    if (key === OFFSET_COMMIT) readCommitted(cursor, version, flexible, found, names);
    else if (key === OFFSET_FETCH) readPartition(cursor, flexible, null, found);
  } else if (GROUPS_FIRST.has(key)) {
    if (count(cursor, flexible) === 0) return;
    found.group = text(cursor, flexible);
    if (key !== OFFSET_FETCH) return;
    if (version >= 9) {
      text(cursor, flexible);
      cursor.skip(4);
    }
    readPartition(cursor, flexible, version >= 10 ? names : null, found);
  } else if (key === 10) {
    cursor.skip(1);
    if (count(cursor, flexible) > 0) found.group = text(cursor, flexible);
  } else if (key === 23) {
    if (version >= 3) cursor.skip(4);
    readPartition(cursor, flexible, null, found);
  } else if (key === 24 && version < 4) {
    text(cursor, flexible);
    cursor.skip(10);
    readPartition(cursor, flexible, null, found);
  } else if (key === 28) {
    text(cursor, flexible);
    found.group = text(cursor, flexible);
  } else if (key === 25) {
    text(cursor, flexible);
    cursor.skip(10);
    found.group = text(cursor, flexible);
  }
}

/** group | generation i32 | member | instance | retention i64 | topics, as the version has them. */
function readCommitted(
  cursor: Cursor,
  version: number,
  flexible: boolean,
  found: Found,
  names: TopicNames,
): void {
  if (version >= 1) {
    cursor.skip(4);
    text(cursor, flexible);
  }
  if (version >= 7) text(cursor, flexible);
  if (version >= 2 && version <= 4) cursor.skip(8);
  readPartition(cursor, flexible, version >= 10 ? names : null, found);
}

/** The first topic and the number of its first partition. */
export function readPartition(
  cursor: Cursor,
  flexible: boolean,
  names: TopicNames | null,
  found: Found,
): boolean {
  readTopic(cursor, flexible, names, found);
  if (found.topics === 0 || count(cursor, flexible) === 0) return false;
  found.partition = cursor.i32();
  return true;
}

/** Number of topics and the name of the first; later versions give its uuid instead. */
export function readTopic(
  cursor: Cursor,
  flexible: boolean,
  names: TopicNames | null,
  found: Found,
): void {
  found.topics = count(cursor, flexible);
  if (found.topics === 0) return;
  if (names === null) found.topic = text(cursor, flexible);
  else nameTopic(uuid(cursor), names, found);
}

function nameTopic(id: string, names: TopicNames, found: Found): void {
  found.topic = names.get(id) ?? "";
  found.topicId = id;
}

export const uuid = (cursor: Cursor): string =>
  Array.from(cursor.bytes(16), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** What a partition brings, as far as it was captured. */
export function takeBatches(
  cursor: Cursor,
  bytes: number,
  partition: number,
  found: Found,
  topic = found.topic,
): void {
  const batches: Records[] = [];
  try {
    readBatches(cursor, bytes, batches);
  } finally {
    found.records ??= batches[0] ?? null;
    for (const batch of batches) found.batches.push({ ...batch, topic, partition });
  }
}
