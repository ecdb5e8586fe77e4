// SPDX-License-Identifier: Apache-2.0
// Explanations as one line of JSON per span: names as in every other output, ids in hex.

import { formatId } from "../../model/span.ts";
import { type Alternative, type Explanation } from "./explanation.ts";
import { nameOf } from "./explanation_lines.ts";

export function explanationJson(traceId: string, explanation: Explanation): string {
  const { span, parent, rule, evidence, confidence, isCertain, because } = explanation;
  return JSON.stringify({
    trace_id: traceId,
    span_id: formatId(span.span_id),
    name: nameOf(span),
    parent_span_id: parent === null ? null : formatId(parent.span_id),
    parent_name: parent === null ? null : nameOf(parent),
    link_evidence: evidence,
    link_rule: rule,
    link_confidence: rounded(confidence),
    is_certain: isCertain,
    because,
    margin: explanation.margin === null ? null : rounded(explanation.margin),
    among: explanation.among,
    agreeing: explanation.agreeing,
    against: explanation.against,
    alternatives: explanation.others.map(alternativeJson),
  });
}

function alternativeJson({ spanId, span, confidence, reasons, against }: Alternative) {
  return {
    span_id: formatId(spanId),
    name: span === null ? null : nameOf(span),
    link_confidence: rounded(confidence),
    reasons,
    against,
  };
}

const rounded = (share: number) => Number(share.toFixed(4));
