// SPDX-License-Identifier: Apache-2.0
// One operator on the workbench: push records by hand and look at what comes out. For tests.

import type { Join, JoinOperator, Nanos, Operator, Outputs, Stage } from "./operator.ts";

export interface Tried<Out, Side> {
  /** Everything emitted so far, in order. */
  readonly emitted: Out[];
  readonly sides: Side[];
  /** Drops so far, by reason. */
  readonly drops: Record<string, number>;
}

/**
 * Opens an operator outside of any run. There is no boundary: what a stage throws comes out here.
 *
 *     const tried = tryOperator(pairUp, { gapNs: 5n });
 *     tried.push(1);
 *     tried.advance(10n);
 *     assert.deepEqual(tried.emitted, [[1, undefined]]);
 */
export function tryOperator<In, Out, Params, Side>(
  operator: Operator<In, Out, Params, Side>,
  params: Params,
): Tried<Out, Side> & Stage<In> {
  const { tried, outputs } = collector<Out, Side>();
  const stage = operator.open(params, outputs);
  return {
    ...tried,
    push: (record) => stage.push(record),
    advance: (watermarkNs: Nanos) => stage.advance(watermarkNs),
    end: () => stage.end(),
    held: () => stage.held(),
    watermark: (watermarkNs) => stage.watermark?.(watermarkNs) ?? watermarkNs,
  };
}

/** The same for an operator of two inputs. */
export function tryJoin<Left, Right, Out, Params, Side>(
  operator: JoinOperator<Left, Right, Out, Params, Side>,
  params: Params,
): Tried<Out, Side> & Join<Left, Right> {
  const { tried, outputs } = collector<Out, Side>();
  const join = operator.open(params, outputs);
  return {
    ...tried,
    left: (record) => join.left(record),
    right: (record) => join.right(record),
    advance: (watermarkNs: Nanos) => join.advance(watermarkNs),
    end: () => join.end(),
    held: () => join.held(),
    watermark: (watermarkNs) => join.watermark?.(watermarkNs) ?? watermarkNs,
  };
}

function collector<Out, Side>(): { tried: Tried<Out, Side>; outputs: Outputs<Out, Side> } {
  const tried: Tried<Out, Side> = { emitted: [], sides: [], drops: {} };
  return {
    tried,
    outputs: {
      emit: (record) => void tried.emitted.push(record),
      side: (record) => void tried.sides.push(record),
      drop: (reason, n = 1) => void (tried.drops[reason] = (tried.drops[reason] ?? 0) + n),
    },
  };
}
