// SPDX-License-Identifier: Apache-2.0
// Waiting for a condition, with a deadline: what tests do instead of sleeping.

/** How long a condition may take unless the caller knows better, and how often it is asked. */
const deadlineMsDefault = 15_000;
const pollMs = 10;

/** The first truthy answer of `condition`. Fails, naming `what`, when the deadline has passed. */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  deadlineMs: number = deadlineMsDefault,
): Promise<Exclude<T, false | null | undefined | 0 | "">> {
  const endMs = performance.now() + deadlineMs;
  while (true) {
    const answer = await condition();
    if (answer) return answer as Exclude<T, false | null | undefined | 0 | "">;
    if (performance.now() > endMs) {
      throw new Error(`Cannot see ${what}: still not so after ${deadlineMs / 1000} s`);
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

/** The promise's value, or a failure naming `what` when it takes longer than the deadline. */
export async function within<T>(
  what: string,
  promise: Promise<T>,
  deadlineMs: number = deadlineMsDefault,
): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`Cannot see ${what}: still not so after ${deadlineMs / 1000} s`)),
    deadlineMs,
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
