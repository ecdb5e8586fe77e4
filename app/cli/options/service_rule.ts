// SPDX-License-Identifier: Apache-2.0
// A rule that names a service, as people type it: "checkout=comm:node,argument:/srv/checkout.js".

import type { ServiceRule } from "../../../operators/enrichment/service_name.ts";

const FACTS = ["comm", "exe", "argument", "container", "unit"] as const;

/** Throws an Error whose message says what a rule looks like. */
export function parseServiceRule(text: string): ServiceRule {
  const equals = text.indexOf("=");
  const service = text.slice(0, Math.max(0, equals)).trim();
  const facts = equals < 0 ? [] : text.slice(equals + 1).split(",").map(factOf);
  if (service === "" || facts.includes(null)) {
    throw new Error(`write it as NAME=comm:node,argument:server.js; of ${FACTS.join(", ")}`);
  }
  return { service, ...Object.fromEntries(facts.filter((fact) => fact !== null)) };
}

function factOf(text: string): readonly [string, string] | null {
  const colon = text.indexOf(":");
  const [name, value] = [text.slice(0, Math.max(0, colon)).trim(), text.slice(colon + 1).trim()];
  return value !== "" && FACTS.some((fact) => fact === name) ? [name, value] : null;
}
