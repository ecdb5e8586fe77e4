// SPDX-License-Identifier: Apache-2.0
// The findings of a run as rows of its store: `link_checks` and `losses`.

import { quoteText } from "../../queries/store/schema.ts";
import type { Store } from "../../queries/store/store.ts";
import type { ServiceChecks } from "../accuracy/link_checks.ts";

export interface FoundLoss {
  readonly reason: string;
  readonly count: number;
  /** Whose it was, where that is known. */
  readonly service?: string;
}

export interface FreshFindings {
  readonly checks: readonly ServiceChecks[];
  readonly losses: readonly FoundLoss[];
  /** Unix time in which they were found. */
  readonly sinceNs: bigint;
  readonly untilNs: bigint;
}

/** Findings are worth less than spans: what keeps them from being stored stops nothing. */
export async function storeFindings(
  store: Pick<Store, "exec">,
  { checks, losses, sinceNs, untilNs }: FreshFindings,
): Promise<void> {
  const statements = [
    insertion(
      "link_checks",
      checks.map(({ service, agreed, differed, uncertain }) =>
        [quoteText(service), sinceNs, untilNs, agreed, differed, uncertain].join(", ")
      ),
    ),
    insertion(
      "losses",
      losses.map(({ reason, count, service = "" }) =>
        [sinceNs, untilNs, quoteText(reason), quoteText(service), Math.round(count)].join(", ")
      ),
    ),
  ];
  // In one go: a store that is about to be closed takes no second one.
  const all = statements.filter((statement) => statement !== "");
  if (all.length > 0) await store.exec(all.join(";\n")).catch(() => {});
}

function insertion(table: string, rows: readonly string[]): string {
  if (rows.length === 0) return "";
  return `INSERT INTO ${table} VALUES ${rows.map((row) => `(${row})`).join(", ")}`;
}
