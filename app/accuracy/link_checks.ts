// SPDX-License-Identifier: Apache-2.0
// How right links are here, by service: counts of links that ids tell the truth about.

import type { Program } from "../../model/process.ts";
import { serviceName } from "../../operators/enrichment/service_name.ts";
import type { LinkCheck } from "../../operators/self_check.ts";

export interface ServiceChecks {
  readonly service: string;
  readonly agreed: number;
  readonly differed: number;
  readonly uncertain: number;
}

/** Fewer links than this say nothing worth showing. */
export const CHECKS_MIN = 50;

/** Services counted apart; those that come later are one, without a name. */
const SERVICES_MAX = 1_000;

/** Links that were counted. */
export function linksOf({ agreed, differed, uncertain }: Omit<ServiceChecks, "service">): number {
  return agreed + differed + uncertain;
}

/** Share of the links that would be drawn as fact that are right; null if none would be. */
export function agreement({ agreed, differed }: Omit<ServiceChecks, "service">): number | null {
  return agreed + differed === 0 ? null : agreed / (agreed + differed);
}

/** All services together. */
export function checksInAll(rows: readonly ServiceChecks[]): ServiceChecks {
  const sum = (count: (row: ServiceChecks) => number) =>
    rows.reduce((total, row) => total + count(row), 0);
  return {
    service: "",
    agreed: sum((row) => row.agreed),
    differed: sum((row) => row.differed),
    uncertain: sum((row) => row.uncertain),
  };
}

interface Counts {
  agreed: number;
  differed: number;
  uncertain: number;
}

/** A class for its counts: those since the start, and those not taken yet. */
export class LinkChecks {
  readonly #services = new Map<string, Counts>();
  #fresh = new Map<string, Counts>();

  readonly #names = new WeakMap<Program, string>();

  add({ program, outcome }: LinkCheck): void {
    const service = this.#nameOf(program);
    countsOf(this.#services, service)[outcome]++;
    countsOf(this.#fresh, service)[outcome]++;
  }

  /** Found once for each program: by then its command line is known. */
  #nameOf(program: Program): string {
    const known = this.#names.get(program);
    if (known !== undefined) return known;
    const name = serviceName(program);
    this.#names.set(program, name);
    return name;
  }

  /** Since the start; the most links first. */
  rows(): ServiceChecks[] {
    return rowsOf(this.#services);
  }

  /** Since the last call. */
  takeFresh(): ServiceChecks[] {
    const rows = rowsOf(this.#fresh);
    this.#fresh = new Map();
    return rows;
  }
}

function countsOf(counts: Map<string, Counts>, service: string): Counts {
  const name = counts.has(service) || counts.size < SERVICES_MAX ? service : "";
  let known = counts.get(name);
  if (known === undefined) counts.set(name, known = { agreed: 0, differed: 0, uncertain: 0 });
  return known;
}

function rowsOf(counts: ReadonlyMap<string, Counts>): ServiceChecks[] {
  return [...counts].map(([service, each]) => ({ service, ...each }))
    .sort((a, b) => linksOf(b) - linksOf(a));
}
