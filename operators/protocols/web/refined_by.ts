// SPDX-License-Identifier: Apache-2.0
// HTTP with refinements of the user's own, which are asked before those that are built in.

import type { OpenOptions, Protocol } from "../../wire/protocol.ts";
import type { Refinement } from "../../wire/refinement.ts";
import type { AnyProtocol } from "../../wire/registry.ts";

/** Protocols that carry what refinements are about. */
const CARRIERS: ReadonlySet<string> = new Set(["http", "http2"]);

/** The same protocol, where it carries anything; else the protocol itself. */
export function refinedBy(
  protocol: AnyProtocol,
  refinements: readonly Refinement[],
): AnyProtocol {
  if (refinements.length === 0 || !CARRIERS.has(protocol.name)) return protocol;
  const carrier: Protocol = protocol;
  const fields = Object.assign({}, carrier.fields, ...refinements.map((each) => each.fields));
  const open = (transport: Parameters<Protocol["open"]>[0], options?: OpenOptions) =>
    carrier.open(transport, { unmask: false, ...options, refinements });
  return { ...carrier, fields, open };
}
