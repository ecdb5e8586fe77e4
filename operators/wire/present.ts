// SPDX-License-Identifier: Apache-2.0
// Fields of a message as far as they are known.

import type { AttributeValue } from "../../model/message.ts";

type Known<T> = { -readonly [N in keyof T]?: Exclude<T[N], undefined> };

/**
 * The properties that are neither undefined nor "", in their order. Spreading one object per
 * condition does the same in four times the time.
 */
export function present<const T extends Readonly<Record<string, AttributeValue | undefined>>>(
  values: T,
): Known<T> {
  const known: Record<string, AttributeValue> = {};
  for (const name in values) {
    const value = values[name];
    if (value !== undefined && value !== "") known[name] = value;
  }
  return known as Known<T>;
}
