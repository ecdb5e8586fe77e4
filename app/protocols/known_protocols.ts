// SPDX-License-Identifier: Apache-2.0
// The protocols of one run: those of this program, those that files add, what files say that HTTP
// carries, and whose values show.

import { refinedBy } from "../../operators/protocols/web/refined_by.ts";
import type { Refinement } from "../../operators/wire/refinement.ts";
import { PROTOCOLS } from "../../operators/protocols/registry.gen.ts";
import type { AnyProtocol } from "../../operators/wire/registry.ts";
import { unmasked } from "../../operators/wire/unmasked.ts";
import { Refusal } from "../cli/context.ts";
import { loadProtocolFile } from "./protocol_file.ts";

export interface ProtocolChoice {
  /** Files that define a protocol or refinement each; a protocol replaces one of its name. */
  readonly protocolFile?: readonly string[];
  /** Names of protocols whose values are not masked. */
  readonly unmask?: readonly string[];
}

export async function knownProtocols(choice: ProtocolChoice): Promise<readonly AnyProtocol[]> {
  const added: AnyProtocol[] = [];
  const refinements: Refinement[] = [];
  for (const path of choice.protocolFile ?? []) {
    const loaded = await loadProtocolFile(path);
    if ("refine" in loaded) refinements.push(loaded);
    else added.push(loaded);
  }
  const names = new Set(added.map(({ name }) => name));
  const known = [...added, ...PROTOCOLS.filter(({ name }) => !names.has(name))]
    .map((protocol) => refinedBy(protocol, refinements));
  const shown = new Set(choice.unmask ?? []);
  for (const name of shown) {
    if (known.some((protocol) => protocol.name === name)) continue;
    const all = known.map((protocol) => protocol.name).sort().join(", ");
    throw new Refusal(`Cannot unmask ${name}: it is none of ${all}`);
  }
  return known.map((protocol) => shown.has(protocol.name) ? unmasked(protocol) : protocol);
}
