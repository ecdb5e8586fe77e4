// SPDX-License-Identifier: Apache-2.0
// Where the time of a trace went: each span's own time, and the path that decided when it ended.

import type { NodeInMaking } from "./trace.ts";

/** Duration of each span without the times in which a child runs. Children come by start. */
export function setSelfTimes(nodes: readonly NodeInMaking[]): void {
  for (const node of nodes) {
    const { start_unix_ns: startNs, end_unix_ns: endNs } = node.span;
    let selfNs = endNs > startNs ? endNs - startNs : 0n;
    let coveredNs = startNs;
    for (const { span } of node.children) {
      const fromNs = span.start_unix_ns > coveredNs ? span.start_unix_ns : coveredNs;
      const toNs = span.end_unix_ns < endNs ? span.end_unix_ns : endNs;
      if (toNs <= fromNs) continue;
      selfNs -= toNs - fromNs;
      coveredNs = toNs;
    }
    node.selfNs = selfNs;
  }
}

/**
 * Marks the spans on the critical path: from the end of the root backwards, always into the child
 * that ended last before the point reached, then on from that child's start.
 */
export function markCriticalPath(root: NodeInMaking): void {
  root.isCritical = true;
  const stack: { node: NodeInMaking; untilNs: bigint }[] = [
    { node: root, untilNs: root.span.end_unix_ns },
  ];
  for (let step = stack.pop(); step !== undefined; step = stack.pop()) {
    let { untilNs } = step;
    const byEnd = [...step.node.children].sort(laterEndFirst);
    for (const child of byEnd) {
      if (child.span.start_unix_ns >= untilNs) continue;
      const endNs = child.span.end_unix_ns < untilNs ? child.span.end_unix_ns : untilNs;
      // A child that runs on after the parent's end did not hold it up, but for clock differences.
      if (child.span.end_unix_ns > untilNs + slackNs) continue;
      child.isCritical = true;
      stack.push({ node: child, untilNs: endNs });
      untilNs = child.span.start_unix_ns;
    }
  }
}

/** Ends of one exchange at two observers may be this far out of order. */
const slackNs = 1_000_000n;

function laterEndFirst(a: NodeInMaking, b: NodeInMaking): number {
  if (a.span.end_unix_ns !== b.span.end_unix_ns) {
    return a.span.end_unix_ns > b.span.end_unix_ns ? -1 : 1;
  }
  return a.span.span_id < b.span.span_id ? -1 : 1;
}
