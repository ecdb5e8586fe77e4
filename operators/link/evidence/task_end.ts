// SPDX-License-Identifier: Apache-2.0
// Evidence 4: the thread that wrote a response had worked for that request since it last finished
// something.
//
// Precondition, kept where the response is written down: the thread reads no requests itself (it is
// a worker), and none of its calls was still running when it answered.

import type { Call, Work } from "../program.ts";

export function finishedBySameThread({ finished }: Call): Work | null {
  return finished;
}
