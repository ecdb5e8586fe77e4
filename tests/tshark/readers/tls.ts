// SPDX-License-Identifier: Apache-2.0
// TLS: the two hellos. What comes behind is encrypted, or says nothing of who asks for what.

import { first, type Node, nodesNamed, number, show } from "../pdml.ts";
import type { Draft, SharkReader } from "../shark_message.ts";

export const tls: SharkReader = {
  protocol: "tls",
  decodeAs: ["tls"],
  parts: ["tls"],
  open: () => ({
    take(part, _way, emit) {
      for (const handshake of nodesNamed(part, "tls.handshake")) {
        const type = number(handshake, "tls.handshake.type");
        if (type === CLIENT_HELLO) emit(clientHello(handshake));
        else if (type === SERVER_HELLO) emit(serverHello(handshake));
      }
    },
  }),
};

const CLIENT_HELLO = 1, SERVER_HELLO = 2;
const VERSIONS: Readonly<Record<number, string>> = {
  0x300: "SSL3.0",
  0x301: "1.0",
  0x302: "1.1",
  0x303: "1.2",
  0x304: "1.3",
};

/** The newest version that is offered or chosen. */
function versionOf(handshake: Node): string | undefined {
  const name = "tls.handshake.extensions.supported_version";
  const extended = [...nodesNamed(handshake, name)].map(({ show }) => Number(show));
  const newest = extended.filter((version) => VERSIONS[version] !== undefined).sort().at(-1);
  return VERSIONS[newest ?? number(handshake, "tls.handshake.version") ?? 0];
}

function clientHello(handshake: Node): Draft {
  const name = show(handshake, "tls.handshake.extensions_server_name");
  return {
    facts: {
      kind: "request",
      type: "ClientHello",
      ...(name !== undefined && { resource: name, domain: name }),
    },
    fields: {
      version: versionOf(handshake),
      server_name: name,
      next_protocol: show(handshake, "tls.handshake.extensions_alpn_str"),
    },
  };
}

function serverHello(handshake: Node): Draft {
  const label = first(handshake, "tls.handshake.ciphersuite")?.showname ?? "";
  return {
    facts: { kind: "response", type: "ServerHello", status: "ok" },
    fields: {
      version: versionOf(handshake),
      cipher: /: (\w+) \(/.exec(label)?.[1],
      next_protocol: show(handshake, "tls.handshake.extensions_alpn_str"),
    },
  };
}
