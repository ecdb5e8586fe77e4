// SPDX-License-Identifier: Apache-2.0
// What a rule is that says which span is whose parent; the rules are in ../parent_rules.ts.

import type { Evidence } from "../link.ts";
import type { Span } from "../span.ts";

export type Key = number | bigint | string;

export interface ParentRule {
  readonly name: string;
  readonly evidence: Evidence;
  /** Completes "because …", as people read it; "it" is the child. */
  readonly because: string;
  /** Null if the span cannot be the child (the parent) by this rule. */
  readonly childKey: (span: Span) => Key | null;
  readonly parentKey: (span: Span) => Key | null;
  /** Confidence that it is the parent, as far as the two spans tell; 0 if it is not. */
  readonly fits: (child: Span, parent: Span) => number;
  /** "last": of several, the latest to start is meant. "only": several make it uncertain. */
  readonly of: "last" | "only";
}
