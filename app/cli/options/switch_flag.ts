// SPDX-License-Identifier: Apache-2.0
// An option without a value, off unless given.

export function switchFlag(brief: string) {
  return { kind: "boolean", brief, optional: true, withNegated: false } as const;
}
