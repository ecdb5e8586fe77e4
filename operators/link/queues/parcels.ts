// SPDX-License-Identifier: Apache-2.0
// A broker: messages that it was handed, by their keys, until it sends them on. A delivery follows
// from the publication with the same key.
//
// What is unique is sure. Equal messages are matched first in, first out, which most brokers keep
// to: surely where one was left or one consumer takes all, else as a guess.

import { LIMITS } from "../../../model/limits.ts";
import { type Candidate, CANDIDATES_MAX } from "../../../model/link.ts";
import { withVote } from "../../../model/links/votes.ts";

interface Publication {
  readonly spanId: bigint;
  readonly atNs: number;
  /** Connections that it was sent to. */
  readonly sentTo: number[];
  sentNs: number;
}

interface Parcel {
  publications: Publication[];
  /** The only connection that ever took one; -1 before, -2 for several. */
  consumer: number;
  /** Deliveries one after the other, none of them twice. */
  inOrder: number;
}

/** By key, the one published first in front. */
export type Parcels = Map<bigint, Parcel>;

export const startParcels = (): Parcels => new Map();

/** The broker was handed messages with these keys. */
export function notePublication(
  spanId: bigint,
  keys: readonly bigint[],
  atNs: number,
  parcels: Parcels,
): void {
  for (const key of keys) {
    const parcel = parcels.get(key) ?? { publications: [], consumer: -1, inOrder: 0 };
    parcels.delete(key);
    parcels.set(key, parcel);
    // Whoever else takes it does so soon: what comes later is another message.
    parcel.publications = parcel.publications.filter(({ sentTo, sentNs }) =>
      sentTo.length === 0 || atNs - sentNs < fanOutNs
    );
    parcel.publications.push({ spanId, atNs, sentTo: [], sentNs: -Infinity });
    if (parcel.publications.length > equalMax) parcel.publications.shift();
  }
  while (parcels.size > LIMITS.linkMessages.value) {
    const oldest = parcels.keys().next();
    if (oldest.done) return;
    parcels.delete(oldest.value);
  }
}

/** Within this time all consumers of a topic are sent a message, unless they lag behind. */
const fanOutNs = 1_000_000_000;

/** Equal messages that wait at the same time and are told apart. */
const equalMax = 1_024;

/** The publications that a delivery may follow from, the likeliest first. */
export function publicationsOf(
  spanId: bigint,
  keys: readonly bigint[],
  conn: number,
  atNs: number,
  parcels: Parcels,
): readonly Candidate[] {
  const parcel = keys.map((key) => parcels.get(key)).find((each) => each !== undefined);
  if (parcel === undefined || parcel.publications.length === 0) return [];
  const { publications } = parcel;
  const unsent = publications.filter(({ sentTo }) => sentTo.length === 0);
  const fresh = publications.filter(({ sentTo }) => !sentTo.includes(conn));
  const [meant = publications.at(-1)] = unsent.length > 0 ? unsent : fresh;
  if (meant === undefined) return [];
  const rivals = unsent.length > 0 ? unsent : fresh.length > 0 ? fresh : publications;
  const sureness = surenessOf(parcel, conn, { rivals: rivals.length, all: publications.length });
  noteSent(meant, conn, atNs, parcel);
  const among = rivals.length;
  const others = rivals.filter((each) => each !== meant).slice(0, CANDIDATES_MAX - 1);
  return [meant, ...others].map((publication, rank) => {
    const score = rank === 0 ? sureness : (1 - sureness) / Math.max(1, among - 1);
    return {
      span_id: spanId,
      parent_id: publication.spanId,
      evidence: "message",
      score,
      rank,
      votes: rank === 0 ? withVote("", "delivery_from_publication", score) : "",
      among,
    };
  });
}

function surenessOf(
  { consumer, inOrder }: Parcel,
  conn: number,
  { rivals, all }: { readonly rivals: number; readonly all: number },
): number {
  if (all === 1) return onlyOne;
  if (rivals === 1) return oneLeft;
  return (consumer === conn && inOrder >= provenFrom) ? inLine : guessed;
}

const onlyOne = 0.999;
const oneLeft = 0.98;
const inLine = 0.96;
const guessed = 0.8;

/** So many in order show that one consumer takes them all. */
const provenFrom = 8;

function noteSent(publication: Publication, conn: number, atNs: number, parcel: Parcel): void {
  if (publication.sentTo.length === 0) parcel.inOrder++;
  else parcel.inOrder = 0;
  parcel.consumer = parcel.consumer === -1 || parcel.consumer === conn ? conn : -2;
  publication.sentNs = atNs;
  if (publication.sentTo.length < consumersMax && !publication.sentTo.includes(conn)) {
    publication.sentTo.push(conn);
  }
}

/** Of one message. */
const consumersMax = 256;
