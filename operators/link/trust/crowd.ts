// SPDX-License-Identifier: Apache-2.0
// How crowded a program is: what holds while one request is open need not hold while many are, so
// what is learned is kept apart.

/** Classes of requests open at once: one, a few, several, many, very many. */
export const CROWDS = 5;

export function crowdOf(open: number): number {
  if (open <= 1) return 0;
  if (open <= 3) return 1;
  if (open <= 11) return 2;
  return open <= 31 ? 3 : 4;
}

/**
 * Classes of doubt about a call: one request was open, several but only this one could send it, it
 * or another, a few, many, and more.
 */
export const CONTESTS = 8;

const limits = [1.5, 2.5, 6.5, 15.5, 40.5, 100.5];

export function contestOf(open: number, contenders: number): number {
  if (open <= 1) return 0;
  const larger = limits.findIndex((limit) => contenders < limit);
  return 1 + (larger < 0 ? limits.length : larger);
}

/** How many requests could at least have sent a call of a class. */
export const contendersFrom = (contest: number): number => Math.ceil(limits[contest - 2] ?? 1);
