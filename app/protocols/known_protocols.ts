// SPDX-License-Identifier: Apache-2.0
// The protocols of one run: those of this program, those that files add, and whose values show.

import { PROTOCOLS } from "../../operators/protocols/registry.gen.ts";
import type { AnyProtocol } from "../../operators/wire/registry.ts";
import { unmasked } from "../../operators/wire/unmasked.ts";
import { Refusal } from "../cli/context.ts";
import { loadProtocolFile } from "./protocol_file.ts";

export interface ProtocolChoice {
  /** Files that define a protocol each; one of the name of another takes its place. */
  readonly protocolFile?: readonly string[];
  /** Names of protocols whose values are not masked. */
  readonly unmask?: readonly string[];
}

export async function knownProtocols(choice: ProtocolChoice): Promise<readonly AnyProtocol[]> {
  const added: AnyProtocol[] = [];
  for (const path of choice.protocolFile ?? []) added.push(await loadProtocolFile(path));
  const names = new Set(added.map(({ name }) => name));
  const known = [...added, ...PROTOCOLS.filter(({ name }) => !names.has(name))];
  const shown = new Set(choice.unmask ?? []);
  for (const name of shown) {
    if (known.some((protocol) => protocol.name === name)) continue;
    const all = known.map((protocol) => protocol.name).sort().join(", ");
    throw new Refusal(`Cannot unmask ${name}: it is none of ${all}`);
  }
  return known.map((protocol) => shown.has(protocol.name) ? unmasked(protocol) : protocol);
}
