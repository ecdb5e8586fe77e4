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

/** `body` gives the beginning of the body, and is called only where that is needed. */
export function refineRequest(
  head: Head,
  { path, query }: Target,
  host: string,
  body: () => string,
): RefinedRequest | null {
  const { method, contentType, amzTarget: target } = head;
  if (path === "/" && method !== "POST" && !host.includes("amazonaws.")) return null;
  if (!mayBe(path) && !host.includes("amazonaws.")) return null;
  for (const refinement of REFINEMENTS) {
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
