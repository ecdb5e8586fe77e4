// SPDX-License-Identifier: Apache-2.0
// Bodies of Kafka's answers: the error, the first topic and partition, and what was fetched. Most
// begin with a throttle time, from some version on; where the error stands differs.

import type { Cursor } from "../../../wire/cursor.ts";
import {
  FETCH,
  type Found,
  PRODUCE,
  readPartition,
  takeBatches,
  type TopicNames,
  uuid,
} from "./kafka_body.ts";
import { count, skipTags, text, uvarint } from "./kafka_types.ts";

const METADATA = 3, OFFSET_COMMIT = 8, OFFSET_FETCH = 9, FIND_COORDINATOR = 10;
const CREATE_TOPICS = 19, DELETE_TOPICS = 20, DELETE_RECORDS = 21, LEADER_EPOCH = 23;
const ADD_PARTITIONS = 24, ELECT_LEADERS = 43;
const TOPIC_NAMES_MAX = 4_096;
const NEVER = 1_000;

/**
 * Where the error stands: `error` in the answer itself, `list` first in each of a list, `named`
 * behind the name of each, `partition` behind the number of each topic's each partition. Behind a
 * key: the version from which on a throttle time comes before, - where none does.
 */
const TABLE = `
error 4- 5- 6- 7- 17- 18- 36- 38- 39- 40- 41- 47- 52- 53- 54- 55-
error 10:1 11:2 12:1 13:1 14:1 16:1 22:0 25:0 26:0 29:0 35:3 43:0 46:0 48:0 50:0 51:0 56:0 57:0
error 59:0 60:0 62:0 63:0 64:0 66:0 67:0 68:0 70:0 71:0 72:0 73:0 74:0 76:0 78:0 79:0 80:0 81:0 82:0
list 15:1 30:0 31:0 32:0 33:0 44:0 65:0 69:0 75:0 77:0
named 19:2 20:1 37:0 42:0
partition 2:2 8:3 24:0 28:0 34:0 61:0
`;

interface Place {
  readonly at: string;
  readonly throttledFrom: number;
}

const PLACES: ReadonlyMap<number, Place> = new Map(
  TABLE.trim().split("\n").flatMap((row) => {
    const [at = "", ...keys] = row.split(" ");
    return keys.map((word) => {
      const [key = "", from] = word.replace("-", "").split(":");
      return [Number(key), { at, throttledFrom: from === undefined ? NEVER : Number(from) }];
    });
  }),
);

export function readResponseBody(
  cursor: Cursor,
  key: number,
  version: number,
  flexible: boolean,
  found: Found,
  names: TopicNames,
): void {
  switch (key) {
    case PRODUCE:
      if (!readPartition(cursor, flexible, version >= 13 ? names : null, found)) return;
      found.code = cursor.i16();
      found.offset = Number(cursor.i64());
      return;
    case FETCH:
      return readFetched(cursor, version, flexible, found, names);
    case METADATA:
      return readMetadata(cursor, version, flexible, found, names);
    case OFFSET_FETCH:
      return readOffsets(cursor, version, flexible, found, names);
    case DELETE_RECORDS:
    case LEADER_EPOCH:
      return readOdd(cursor, key, version, flexible, found);
    default:
      readError(cursor, key, version, flexible, found, names);
  }
}

/** As the table says, but for later versions of some. */
function readError(
  cursor: Cursor,
  key: number,
  version: number,
  flexible: boolean,
  found: Found,
  names: TopicNames,
): void {
  const place = PLACES.get(key);
  if (place === undefined || (key === ELECT_LEADERS && version === 0)) return;
  if (version >= place.throttledFrom) cursor.skip(4);
  if (key === FIND_COORDINATOR && version >= 4) {
    if (count(cursor, flexible) === 0) return;
    found.group = text(cursor, flexible);
    cursor.skip(4);
    text(cursor, flexible);
    cursor.skip(4);
  } else if (place.at === "partition" && !(key === ADD_PARTITIONS && version >= 4)) {
    const byId = key === OFFSET_COMMIT && version >= 10;
    if (!readPartition(cursor, flexible, byId ? names : null, found)) return;
  } else if (place.at !== "error" && place.at !== "partition") {
    const listed = count(cursor, flexible);
    if (listed === 0) return;
    if (place.at === "named") {
      const name = text(cursor, flexible);
      if (key !== 42) Object.assign(found, { topics: listed, topic: name });
      else found.group = name;
    }
    if (key === CREATE_TOPICS && version >= 7) cursor.skip(16);
    if (key === DELETE_TOPICS && version >= 6) cursor.skip(16);
  }
  found.code = cursor.i16();
}

/** Partitions whose error does not come directly behind their number. */
function readOdd(
  cursor: Cursor,
  key: number,
  version: number,
  flexible: boolean,
  found: Found,
): void {
  if (key === DELETE_RECORDS || version >= 2) cursor.skip(4);
  found.topics = count(cursor, flexible);
  if (found.topics === 0) return;
  found.topic = text(cursor, flexible);
  if (count(cursor, flexible) === 0) return;
  if (key === LEADER_EPOCH) found.code = cursor.i16();
  found.partition = cursor.i32();
  if (key === LEADER_EPOCH) return;
  cursor.skip(8);
  found.code = cursor.i16();
}

/** [throttle i32] | [groups: name] | topics: partitions: offset i64, epoch i32, text, error */
function readOffsets(
  cursor: Cursor,
  version: number,
  flexible: boolean,
  found: Found,
  names: TopicNames,
): void {
  if (version >= 3) cursor.skip(4);
  if (version >= 8) {
    if (count(cursor, flexible) === 0) return;
    found.group = text(cursor, flexible);
  }
  if (!readPartition(cursor, flexible, version >= 10 ? names : null, found)) return;
  cursor.skip(version >= 5 ? 12 : 8);
  text(cursor, flexible);
  found.code = cursor.i16();
}

/** [throttle i32] | brokers | [cluster] | [controller i32] | topics, each behind its error. */
function readMetadata(
  cursor: Cursor,
  version: number,
  flexible: boolean,
  found: Found,
  names: TopicNames,
): void {
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
  for (let n = 0; n < found.topics; n++) {
    const code = cursor.i16();
    const topic = text(cursor, flexible);
    if (n === 0) Object.assign(found, { code, topic });
    if (version < 10) return;
    nameById(names, uuid(cursor), topic);
    cursor.skip(1);
    passPartitions(cursor, flexible);
    cursor.skip(4);
    skipTags(cursor, flexible);
  }
}

function nameById(names: TopicNames, id: string, topic: string): void {
  if (topic === "") return;
  if (names.size >= TOPIC_NAMES_MAX) names.delete(names.keys().next().value ?? id);
  names.set(id, topic);
}

/** error i16 | number, leader, epoch i32 each | replicas, those in sync, those offline: lists */
function passPartitions(cursor: Cursor, flexible: boolean): void {
  for (let left = count(cursor, flexible); left > 0; left--) {
    cursor.skip(14);
    for (let list = 0; list < 3; list++) cursor.skip(4 * count(cursor, flexible));
    skipTags(cursor, flexible);
  }
}

/** The first topic and partition, or the first with records or an error, and all that comes. */
function readFetched(
  cursor: Cursor,
  version: number,
  flexible: boolean,
  found: Found,
  names: TopicNames,
): void {
  if (version >= 1) cursor.skip(4);
  if (version >= 7) {
    found.code = cursor.i16();
    cursor.skip(4);
  }
  if (found.code !== null && found.code !== 0) return;
  found.topics = count(cursor, flexible);
  for (let n = 0; n < found.topics; n++) {
    const id = version >= 13 ? uuid(cursor) : "";
    const topic = version >= 13 ? names.get(id) ?? "" : text(cursor, flexible);
    if (n === 0) Object.assign(found, { topic, topicId: id });
    for (let left = count(cursor, flexible); left > 0; left--) {
      if (!readFetchedPartition(cursor, version, flexible, topic, found)) return;
    }
    skipTags(cursor, flexible);
  }
}

/** False when the partition could not be read: all that matters is known. */
function readFetchedPartition(
  cursor: Cursor,
  version: number,
  flexible: boolean,
  topic: string,
  found: Found,
): boolean {
  const partition = cursor.i32();
  const code = cursor.i16();
  if (found.partition < 0 || code !== 0) Object.assign(found, { topic, partition, code });
  if (code !== 0) return false;
  readAborted(cursor, version, flexible);
  const bytes = flexible ? uvarint(cursor) - 1 : cursor.i32();
  const next = cursor.position + Math.max(0, bytes);
  if (bytes > 0) {
    if (found.records === null) Object.assign(found, { topic, partition });
    takeBatches(cursor, bytes, partition, found, topic);
    if (found.offset < 0) found.offset = found.batches[0]?.offset ?? -1;
  }
  cursor.rewind(next);
  skipTags(cursor, flexible);
  return true;
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
