// SPDX-License-Identifier: Apache-2.0
// docs/protocols.md: every protocol with its fields, from their declarations.

import type { AnyProtocol } from "../../operators/wire/registry.ts";
import type { Field } from "../../operators/wire/protocol.ts";
import { MATURITY, type Maturity } from "./maturity.gen.ts";

export function protocolsMarkdown(protocols: readonly AnyProtocol[]): string {
  const sorted = [...protocols].sort((a, b) => a.name < b.name ? -1 : 1);
  return [
    "# Protocols",
    "",
    "Generated from the declarations in `operators/protocols/` by `deno task protocols:docs`; do not",
    "edit. Columns that all protocols share (type, resource, domain, endpoint, code, status) are not",
    "repeated here. Maturity: cases of the fixture, and captures of other people's traffic on which",
    "another decoder's statements are met, with the messages compared.",
    "",
    "Dameng and NetSign are not read, because no specification of their bytes is public.",
    "",
    "| protocol | over | pairs by | maturity |",
    "|---|---|---|---|",
    ...sorted.map(({ name, transports, pairing }) =>
      `| [${name}](#${name}) | ${transports.join(", ")} | ${pairing} | ${maturityText(name)} |`
    ),
    "",
    ...sorted.flatMap(section),
  ].join("\n").trimEnd() + "\n";
}

export function maturityText(name: string): string {
  const known: Maturity | undefined = MATURITY[name];
  if (known === undefined) return "new";
  const { cases, captures, messages } = known;
  const compared = captures === 0
    ? ""
    : `, ${captures} ${captures === 1 ? "capture" : "captures"} (${messages} messages)`;
  return `${cases} ${cases === 1 ? "case" : "cases"}${compared}`;
}

function section({ name, spec, fields }: AnyProtocol): string[] {
  const declared = Object.entries(fields as Readonly<Record<string, Field>>);
  const rows = declared.map(([field, { type, otel, doc }]) =>
    `| \`${field}\` | ${type} | ${otel === undefined ? "" : `\`${otel}\``} | ${escaped(doc)} |`
  );
  const table = ["| field | type | OpenTelemetry | holds |", "|---|---|---|---|", ...rows];
  return [`## ${name}`, "", `<${spec}>`, "", ...(rows.length === 0 ? [] : [...table, ""])];
}

const escaped = (text: string) => text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
