// SPDX-License-Identifier: Apache-2.0
// Bodies of Kafka's requests and answers: the first topic, partition and group, the error, and the
// first batch of records. What comes behind is of no interest.

import type { Cursor } from "../../../wire/cursor.ts";
import { readBatches, type Records } from "./kafka_records.ts";
import { count, skipTags, text, uvarint } from "./kafka_types.ts";

export const PRODUCE = 0, FETCH = 1, API_VERSIONS = 18;
const LIST_OFFSETS = 2, METADATA = 3, OFFSET_COMMIT = 8, OFFSET_FETCH = 9;
const DELETE_TOPICS = 20;

/** What a reader finds before the bytes at hand end. */
export interface Found {
  topic: string;
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

export const nothingFound = (): Found => ({
  topic: "",
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
const GROUP_FIRST = new Set([8, 11, 12, 13, 14, 47, 68]);
/** Requests that begin with an array of groups: OffsetFetch from 8 on, DescribeGroups … */
const GROUPS_FIRST = new Set([9, 15, 42, 69]);
/** Requests that begin with an array of topics: CreateTopics, DeleteTopics, DeleteRecords … */
const TOPICS_FIRST = new Set([19, 20, 21, 37]);

export function readRequestBody(
  cursor: Cursor,
  key: number,
  version: number,
  flexible: boolean,
  found: Found,
): void {
  if (key === PRODUCE) {
    if (version >= 3) text(cursor, flexible);
    found.acks = cursor.i16();
    cursor.skip(4);
    readTopic(cursor, flexible, version >= 13, found);
    if (count(cursor, flexible) === 0) return;
    found.partition = cursor.i32();
    takeBatches(cursor, flexible ? uvarint(cursor) - 1 : cursor.i32(), found.partition, found);
  } else if (key === FETCH) {
    cursor.skip(version >= 15 ? 8 : 12);
    if (version >= 3) cursor.skip(4);
    if (version >= 4) cursor.skip(1);
    if (version >= 7) cursor.skip(8);
    readPartition(cursor, flexible, version >= 13, found);
  } else if (key === METADATA) {
    found.topics = count(cursor, flexible);
    if (version >= 10) cursor.skip(16);
    if (found.topics > 0) found.topic = text(cursor, flexible);
  } else if (key === LIST_OFFSETS) {
    cursor.skip(version >= 2 ? 5 : 4);
    readPartition(cursor, flexible, false, found);
  } else if (TOPICS_FIRST.has(key)) {
    readTopic(cursor, flexible, key === DELETE_TOPICS && version >= 6, found);
  } else {
    readGroup(cursor, key, version, flexible, found);
  }
}

function readGroup(
  cursor: Cursor,
  key: number,
  version: number,
  flexible: boolean,
  found: Found,
): void {
  if (GROUP_FIRST.has(key) || (key === 9 && version < 8) || (key === 10 && version < 4)) {
    found.group = text(cursor, flexible);
    if (key === OFFSET_COMMIT) readCommitted(cursor, version, flexible, found);
    else if (key === OFFSET_FETCH) readPartition(cursor, flexible, false, found);
  } else if (GROUPS_FIRST.has(key)) {
    if (count(cursor, flexible) > 0) found.group = text(cursor, flexible);
  } else if (key === 10) {
    cursor.skip(1);
    if (count(cursor, flexible) > 0) found.group = text(cursor, flexible);
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
function readCommitted(cursor: Cursor, version: number, flexible: boolean, found: Found): void {
  if (version >= 1) {
    cursor.skip(4);
    text(cursor, flexible);
  }
  if (version >= 7) text(cursor, flexible);
  if (version >= 2 && version <= 4) cursor.skip(8);
  readPartition(cursor, flexible, version >= 10, found);
}

/** The first topic and the number of its first partition. */
function readPartition(cursor: Cursor, flexible: boolean, byId: boolean, found: Found): boolean {
  readTopic(cursor, flexible, byId, found);
  if (found.topics === 0 || count(cursor, flexible) === 0) return false;
  found.partition = cursor.i32();
  return true;
}

/** Number of topics and the name of the first; later versions give its uuid instead. */
function readTopic(cursor: Cursor, flexible: boolean, byId: boolean, found: Found): void {
  found.topics = count(cursor, flexible);
  if (found.topics === 0) return;
  if (!byId) {
    found.topic = text(cursor, flexible);
    return;
  }
  found.topic = Array.from(cursor.bytes(16), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Answers that start with an error code, behind a throttle time from some version on. */
const ERROR_AFTER_THROTTLE: Readonly<Record<number, number>> = {
  10: 1,
  11: 2,
  12: 1,
  13: 1,
  14: 1,
  16: 1,
  22: 0,
  25: 0,
  26: 0,
  29: 0,
  35: 3,
  60: 0,
  68: 0,
};
/** Answers with an error per partition, behind a throttle time from some version on. */
const TOPIC_ERRORS: Readonly<Record<number, number>> = { [LIST_OFFSETS]: 2, 8: 3, 28: 0 };
const ERROR_FIRST = new Set([17, API_VERSIONS, 36]);

export function readResponseBody(
  cursor: Cursor,
  key: number,
  version: number,
  flexible: boolean,
  found: Found,
): void {
  if (key === PRODUCE) {
    if (!readPartition(cursor, flexible, version >= 13, found)) return;
    found.code = cursor.i16();
    found.offset = Number(cursor.i64());
  } else if (key === FETCH) {
    readFetched(cursor, version, flexible, found);
  } else if (ERROR_FIRST.has(key)) {
    found.code = cursor.i16();
  } else if (key === METADATA) {
    readMetadata(cursor, version, flexible, found);
  } else if (key === OFFSET_FETCH && version < 8) {
    if (version >= 3) cursor.skip(4);
    if (!readPartition(cursor, flexible, false, found)) return;
    cursor.skip(version >= 5 ? 12 : 8);
    text(cursor, flexible);
    found.code = cursor.i16();
  } else if (TOPIC_ERRORS[key] !== undefined) {
    if (version >= TOPIC_ERRORS[key]) cursor.skip(4);
    if (!readPartition(cursor, flexible, key === OFFSET_COMMIT && version >= 10, found)) return;
    found.code = cursor.i16();
  } else {
    const throttledFrom = ERROR_AFTER_THROTTLE[key];
    if (throttledFrom === undefined || (key === 10 && version >= 4)) return;
    if (version >= throttledFrom) cursor.skip(4);
    found.code = cursor.i16();
  }
}

/** [throttle i32] | brokers | [cluster] | [controller i32] | topics, each behind its error. */
function readMetadata(cursor: Cursor, version: number, flexible: boolean, found: Found): void {
  if (version >= 3) cursor.skip(4);
  for (let left = count(cursor, flexible); left > 0; left--) {
    cursor.skip(4);
    text(cursor, flexible);
    cursor.skip(4);
    if (version >= 1) text(cursor, flexible);
    skipTags(cursor, flexible);
  }
  if (version >= 2) text(cursor, flexible);
  if (version >= 1) cursor.skip(4);
  found.topics = count(cursor, flexible);
  if (found.topics === 0) return;
  found.code = cursor.i16();
  found.topic = text(cursor, flexible);
}

/** Up to the first partition that has records; offset is where they begin. */
function readFetched(cursor: Cursor, version: number, flexible: boolean, found: Found): void {
  if (version >= 1) cursor.skip(4);
  if (version >= 7) {
    found.code = cursor.i16();
    cursor.skip(4);
  }
  if (found.code !== null && found.code !== 0) return;
  readTopic(cursor, flexible, version >= 13, found);
  if (found.topics === 0) return;
  const partitions = count(cursor, flexible);
  for (let left = partitions; left > 0; left--) {
    const partition = cursor.i32();
    const code = cursor.i16();
    if (left === partitions || code !== 0) {
      found.partition = partition;
      found.code = code;
    }
    if (code !== 0) return;
    readAborted(cursor, version, flexible);
    const bytes = flexible ? uvarint(cursor) - 1 : cursor.i32();
    const next = cursor.position + Math.max(0, bytes);
    if (bytes > 0) {
      if (found.records === null) found.partition = partition;
      takeBatches(cursor, bytes, partition, found);
      if (found.offset < 0) found.offset = found.batches[0]?.offset ?? -1;
    }
    cursor.rewind(next);
    skipTags(cursor, flexible);
  }
}

/** What a partition brings, as far as it was captured. */
function takeBatches(cursor: Cursor, bytes: number, partition: number, found: Found): void {
  const batches: Records[] = [];
  try {
    readBatches(cursor, bytes, batches);
  } finally {
    found.records ??= batches[0] ?? null;
    for (const batch of batches) found.batches.push({ ...batch, topic: found.topic, partition });
  }
}

/** What stands between the error of a partition and its records. */
function readAborted(cursor: Cursor, version: number, flexible: boolean): void {
  cursor.skip(version >= 5 ? 24 : version >= 4 ? 16 : 8);
  for (let left = version >= 4 ? count(cursor, flexible) : 0; left > 0; left--) {
    cursor.skip(16);
    skipTags(cursor, flexible);
  }
  if (version >= 11) cursor.skip(4);
}
