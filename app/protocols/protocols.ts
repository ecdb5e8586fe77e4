// SPDX-License-Identifier: Apache-2.0
// `protocols`: what is understood, and which fields its spans carry.

import { PROTOCOLS } from "../../operators/protocols/registry.gen.ts";
import type { AnyProtocol } from "../../operators/wire/registry.ts";
import type { Field } from "../../operators/wire/protocol.ts";
import type { CliContext } from "../cli/context.ts";
import type { ProtocolsFlags } from "../cli/commands/protocols.ts";
import { paintFor } from "../cli/terminal/style.ts";
import { MATURITY } from "./maturity.gen.ts";
import { maturityText } from "./protocols_markdown.ts";
import { tableLines } from "../cli/terminal/text_table.ts";

export function protocols(this: CliContext, flags: ProtocolsFlags): void {
  const sorted = [...PROTOCOLS].sort((a, b) => a.name < b.name ? -1 : 1);
  if (flags.json === true) {
    const list = sorted.map(({ name, spec, transports, pairing, fields }) => (
      { name, spec, transports, pairing, maturity: MATURITY[name] ?? null, fields }
    ));
    this.process.stdout.write(`${JSON.stringify(list, null, 2)}\n`);
    return;
  }
  const paint = paintFor(Deno.stdout.isTerminal(), (name) => Deno.env.get(name));
  const lines = tableLines(
    [
      { title: "protocol", align: "left" },
      { title: "over", align: "left" },
      { title: "pairs by", align: "left" },
      { title: "tried on", align: "left" },
      { title: "fields", align: "left", cellsMax: 80 },
    ],
    sorted.map((protocol) => [
      protocol.name,
      protocol.transports.join(" "),
      protocol.pairing,
      maturityText(protocol.name),
      fieldNames(protocol),
    ]),
    paint,
  );
  this.process.stdout.write(`${lines.join("\n")}\n`);
}

function fieldNames({ fields }: AnyProtocol): string {
  const declared: Readonly<Record<string, Field>> = fields;
  return Object.keys(declared).join(" ");
}
