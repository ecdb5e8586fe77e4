// SPDX-License-Identifier: Apache-2.0
// Inlets: what an output calls. Watermarks of several inputs become one by their minimum.

import { type Nanos, TIME_MAX, TIME_MIN } from "../operator.ts";
import type { Edge } from "./meters.ts";

/** One input of a running node. Nothing thrown by the node's own code leaves these functions. */
export interface Inlet {
  readonly edge: Edge;
  readonly push: (record: unknown) => void;
  readonly advance: (watermarkNs: Nanos) => void;
  readonly end: () => void;
}

/** The end of an output that nobody reads: its records are counted and forgotten. */
export function nowhere(): Inlet {
  const edge = { count: 0 };
  return { edge, push: () => void edge.count++, advance() {}, end() {} };
}

/** One inlet for all readers of an output, served in order. */
export function fanOut(inlets: readonly Inlet[]): Inlet {
  const [first = nowhere(), second, ...others] = inlets;
  if (second === undefined) return first;
  if (others.length > 0) return fanOut([first, fanOut([second, ...others])]);
  return {
    edge: first.edge,
    push(record) {
      first.push(record);
      second.push(record);
    },
    advance(watermarkNs) {
      first.advance(watermarkNs);
      second.advance(watermarkNs);
    },
    end() {
      first.end();
      second.end();
    },
  };
}

export interface Gate {
  readonly advance: (watermarkNs: Nanos) => void;
  readonly end: () => void;
}

/**
 * One gate per input of a node. The node's watermark is the smallest over the inputs that have
 * not ended, rises only, and the node ends with its last input.
 */
export function inputGates(
  inputs: number,
  advance: (watermarkNs: Nanos) => void,
  end: () => void,
): Gate[] {
  const marks: Nanos[] = new Array(inputs).fill(TIME_MIN);
  let openInputs = inputs;
  let nodeNs = TIME_MIN;
  const settle = (): void => {
    let lowest = TIME_MAX;
    for (const mark of marks) if (mark < lowest) lowest = mark;
    if (lowest <= nodeNs || lowest === TIME_MAX) return;
    nodeNs = lowest;
    advance(lowest);
  };
  return marks.map((_, input) => ({
    advance(watermarkNs) {
      if (watermarkNs <= (marks[input] ?? TIME_MAX)) return;
      marks[input] = watermarkNs;
      settle();
    },
    end() {
      if (marks[input] === TIME_MAX) return;
      marks[input] = TIME_MAX;
      openInputs--;
      if (openInputs === 0) end();
      else settle();
    },
  }));
}
