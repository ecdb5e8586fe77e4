// SPDX-License-Identifier: Apache-2.0
// Reads a Web stream into a small buffer, so that a synchronous drain finds records there.

import { newBell } from "./bell.ts";

export interface ReadAhead<T> {
  /** Up to so many records, at once. Throws once what the stream failed with, after its records. */
  readonly take: (recordsMax: number) => T[];
  readonly done: () => boolean;
  readonly held: () => number;
  /** Resolves when there may be something to take, or somebody called `ring`. */
  readonly wait: () => Promise<void>;
  readonly ring: () => void;
  readonly cancel: () => void;
}

/** Records read ahead, at most: the stream feels the back-pressure beyond. */
const aheadMax = 1_024;

export function readAhead<T>(readable: ReadableStream<T>): ReadAhead<T> {
  const reader = readable.getReader();
  const arrived = newBell();
  const room = newBell();
  let ahead: T[] = [];
  let ended = false;
  let failure: { cause: unknown } | undefined;
  const read = async (): Promise<void> => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      ahead.push(value);
      arrived.ring();
      while (ahead.length >= aheadMax && !ended) await room.wait();
    }
  };
  read().catch((cause) => void (failure = { cause })).finally(() => {
    ended = true;
    arrived.ring();
  });
  return {
    take(recordsMax) {
      if (ahead.length === 0 && failure !== undefined) {
        const { cause } = failure;
        failure = undefined;
        throw cause;
      }
      const taken = ahead.length <= recordsMax ? ahead : ahead.splice(0, recordsMax);
      if (taken === ahead) ahead = [];
      if (taken.length > 0) room.ring();
      return taken;
    },
    done: () => ended && ahead.length === 0 && failure === undefined,
    held: () => ahead.length,
    wait: () => arrived.wait(),
    ring: arrived.ring,
    cancel() {
      ended = true;
      room.ring();
      reader.cancel().catch(() => {}); // it may have failed or ended already
    },
  };
}
