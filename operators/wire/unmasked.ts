// SPDX-License-Identifier: Apache-2.0
// Protocols that tell all there is, what they mask by default as well: for people who look at their
// own traffic.

import type { AnyProtocol } from "./registry.ts";

/** The same protocol, whose messages show the values of statements, parameters and arguments. */
export function unmasked(protocol: AnyProtocol): AnyProtocol {
  return {
    ...protocol,
    open: (transport, options) =>
      protocol.open(transport, { ...options, unmask: true, every: true }),
  };
}
