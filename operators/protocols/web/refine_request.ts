// SPDX-License-Identifier: Apache-2.0
// Asks the refinements what a request over HTTP is about.

import type { Refined, Refinement } from "../../wire/refinement.ts";
import type { Fields } from "../../wire/protocol.ts";
import type { Head } from "./http/http_head.ts";
import type { Target } from "./http/http_message.ts";
import { REFINEMENTS } from "./refinements.gen.ts";

export interface RefinedRequest {
  readonly refinement: Refinement;
  readonly refined: Refined<Fields>;
}

/**
 * `body` gives the beginning of the body, and is called only where that is needed; `own` are the
 * user's refinements.
 */
export function refineRequest(
  head: Head,
  { path, query }: Target,
  host: string,
  body: () => string,
  own: readonly Refinement[],
): RefinedRequest | null {
  const found = own.length === 0 ? null : refineBy(own, head, { path, query }, host, body);
  if (found !== null) return found;
  if (path === "/" && head.method !== "POST" && !host.includes("amazonaws.")) return null;
  if (!mayBe(path) && !host.includes("amazonaws.")) return null;
  return refineBy(REFINEMENTS, head, { path, query }, host, body);
}

function refineBy(
  refinements: readonly Refinement[],
  head: Head,
  { path, query }: Pick<Target, "path" | "query">,
  host: string,
  body: () => string,
): RefinedRequest | null {
  const { method, contentType, amzTarget: target } = head;
  for (const refinement of refinements) {
    if (!refinement.path.test(path) && refinement.host?.test(host) !== true) continue;
    const text = refinement.body ? body() : "";
    const refined = refinement.refine({
      method,
      path,
      query,
      host,
      contentType,
      target,
      body: text,
    });
    if (refined !== null) return { refinement, refined };
  }
  return null;
}

let any: RegExp | null = null;

/** One test for all of them: most requests are about none. */
function mayBe(path: string): boolean {
  any ??= new RegExp(
    REFINEMENTS.map((each) => `(?:${each.path.source})`).join("|"),
    "i",
  );
  return any.test(path);
}
