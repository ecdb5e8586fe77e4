// SPDX-License-Identifier: Apache-2.0
// A protocol of the user's own: a TypeScript file whose default export is made by `defineProtocol`
// or `refineProtocol`, or a TOML file that declares where in a frame what stands.

import type { Refinement } from "../../operators/wire/refinement.ts";
import type { AnyProtocol } from "../../operators/wire/registry.ts";
import { Refusal } from "../cli/context.ts";
import { declaredProtocol } from "./declared_protocol.ts";

export async function loadProtocolFile(path: string): Promise<AnyProtocol | Refinement> {
  const absolute = path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;
  try {
    if (path.endsWith(".toml")) return await declaredProtocol(Deno.readTextFileSync(absolute));
    Deno.statSync(absolute);
    return checked((await import(`file://${encodeURI(absolute)}`)).default);
  } catch (error) {
    const missing = error instanceof Deno.errors.NotFound;
    const reason = missing
      ? "there is no such file"
      : error instanceof Error
      ? error.message
      : error;
    throw new Refusal(`Cannot load the protocol ${path}: ${reason}`);
  }
}

/** Missing properties of a protocol, or of a refinement, told by name. */
function checked(value: unknown): AnyProtocol | Refinement {
  if (typeof value !== "object" || value === null) {
    throw new Error("it has no default export; write export default defineProtocol({ … })");
  }
  const refines = "refine" in value;
  for (const [name, type] of Object.entries(refines ? REFINEMENT : PROTOCOL)) {
    const found: string = typeof Reflect.get(value, name);
    const what = refines ? "a refinement" : "a protocol";
    if (found !== type) throw new Error(`its ${name} is ${found}; ${what}'s is ${type}`);
  }
  return value as AnyProtocol | Refinement;
}

const REFINEMENT = {
  name: "string",
  spec: "string",
  fields: "object",
  path: "object",
  body: "boolean",
  refine: "function",
} as const;

const PROTOCOL = {
  name: "string",
  spec: "string",
  transports: "object",
  fields: "object",
  timeoutNs: "bigint",
  pairing: "string",
  starts: "object",
  probe: "function",
  open: "function",
  read: "function",
} as const;
