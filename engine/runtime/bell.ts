// SPDX-License-Identifier: Apache-2.0
// A bell: one task sleeps until someone rings. A ring before the sleep is not lost.

export interface Bell {
  readonly ring: () => void;
  /** Resolves at the next ring, at once if one is pending, or after `timeoutMs`. */
  readonly wait: (timeoutMs?: number) => Promise<void>;
}

export function newBell(): Bell {
  let rung = false;
  let wake: (() => void) | undefined;
  const ring = (): void => {
    rung = true;
    wake?.();
  };
  const wait = async (timeoutMs?: number): Promise<void> => {
    if (!rung) {
      const { promise, resolve } = Promise.withResolvers<void>();
      wake = resolve;
      const timer = timeoutMs === undefined ? undefined : setTimeout(resolve, timeoutMs);
      await promise;
      clearTimeout(timer);
      wake = undefined;
    }
    rung = false;
  };
  return { ring, wait };
}
