// SPDX-License-Identifier: Apache-2.0
// Proposals for the last name of a list with commas that is being typed.

export function completeInList(partial: string, names: readonly string[]): string[] {
  const start = partial.lastIndexOf(",") + 1;
  const [before, last] = [partial.slice(0, start), partial.slice(start).toLowerCase()];
  const taken = new Set(before.split(","));
  return names.filter((name) => name.startsWith(last) && !taken.has(name))
    .map((name) => before + name);
}
