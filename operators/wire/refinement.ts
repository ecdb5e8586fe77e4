// SPDX-License-Identifier: Apache-2.0
// What HTTP carries, told by paths, headers and the beginning of bodies: databases, models, APIs.
// The message stays one of HTTP; a refinement gives it further fields and a better endpoint.

import type { Fields, FieldValues } from "./protocol.ts";

/** A request as a refinement sees it. */
export interface Carried {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** Values of secret parameters are masked. */
  readonly query: string;
  readonly host: string;
  readonly contentType: string;
  /** X-Amz-Target header, "" where there is none. */
  readonly target: string;
  /**
   * The beginning of the body as text, as far as it was captured; "" where the refinement does not
   * ask for it, or the carrier does not show it.
   */
  readonly body: string;
}

export interface Refined<F extends Fields> {
  /** Replaces the carrier's; "" keeps it. */
  readonly endpoint: string;
  readonly fields: FieldValues<F>;
}

export interface Refinement<F extends Fields = Fields> {
  readonly name: string;
  /** URL of the specification. */
  readonly spec: string;
  readonly fields: F;
  /** Requests that it may be about are told by their path (without the query), or by their host. */
  readonly path: RegExp;
  readonly host?: RegExp;
  /** The beginning of the request's body is needed. */
  readonly body: boolean;
  /** null: not this API after all. */
  refine(request: Carried): Refined<F> | null;
  /**
   * Fields that stand in the body of the answer: the last match counts, its first group is the
   * value; of a boolean field that there is a match. All must be global, and match less than 128
   * characters.
   */
  readonly answer?: { readonly [N in keyof F]?: RegExp };
}

/** Identity function that infers the types of a refinement. */
export function refineProtocol<const F extends Fields>(
  refinement: Refinement<F>,
): Refinement<F> {
  return refinement;
}
