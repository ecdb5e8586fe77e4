// SPDX-License-Identifier: Apache-2.0
// Ctrl-C and its relatives: the first asks to stop, the second ends the program at once.

const SIGNALS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;

/** Calls `stop` at the first signal. From the second on the program ends without cleaning up. */
export function onInterrupt(stop: (signal: keyof typeof SIGNALS) => void): Disposable {
  let isStopping = false;
  const listeners = Object.entries(SIGNALS).map(([name, number]) => {
    const signal = name as keyof typeof SIGNALS;
    const listener = () => {
      if (isStopping) Deno.exit(128 + number);
      isStopping = true;
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
