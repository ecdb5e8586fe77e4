// SPDX-License-Identifier: Apache-2.0
// Ctrl-C and its relatives: the first asks to stop, the second ends the program at once.

/**
 * One Ctrl-C may come twice: from the terminal, and handed on by the task runner that it reached
 * as well. A person is not that fast.
 */
const ECHO_MS = 300;

const SIGNALS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;

/** Calls `stop` at the first signal. From the second on the program ends without cleaning up. */
export function onInterrupt(stop: (signal: keyof typeof SIGNALS) => void): Disposable {
  let firstMs: number | undefined;
  const listeners = Object.entries(SIGNALS).map(([name, number]) => {
    const signal = name as keyof typeof SIGNALS;
    const listener = () => {
      const nowMs = performance.now();
      if (firstMs !== undefined && nowMs - firstMs > ECHO_MS) Deno.exit(128 + number);
      if (firstMs !== undefined) return;
      firstMs = nowMs;
      stop(signal);
    };
    Deno.addSignalListener(signal, listener);
    return { signal, listener };
  });
  return {
    [Symbol.dispose]() {
      for (const { signal, listener } of listeners) Deno.removeSignalListener(signal, listener);
    },
  };
}
