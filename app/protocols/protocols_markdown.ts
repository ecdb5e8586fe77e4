// SPDX-License-Identifier: Apache-2.0
// docs/protocols.md: every protocol with its fields, from their declarations.

import type { AnyProtocol } from "../../operators/wire/registry.ts";
import type { Fields } from "../../operators/wire/protocol.ts";
import { REFINED_FIELDS, REFINEMENTS } from "../../operators/protocols/web/refinements.gen.ts";
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
    "## Carried by HTTP",
    "",
    "Spans of `http` and `http2` have these fields as well where the path, a header or the beginning",
    "of the body tells what is spoken; their endpoint then names the operation.",
    "",
    ...REFINEMENTS.flatMap(({ name, spec, fields }) => [
      `### ${name}`,
      "",
      `<${spec}>`,
      "",
      ...fieldTable(fields),
    ]),
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
  return [`## ${name}`, "", `<${spec}>`, "", ...fieldTable(fields, REFINED_FIELDS)];
}

/** Without the fields `apart`, which stand elsewhere. */
function fieldTable(fields: Fields, apart: Fields = {}): string[] {
  const rows = Object.entries(fields).filter(([name]) => apart[name] === undefined).map((
    [name, { type, otel, doc }],
  ) => `| \`${name}\` | ${type} | ${otel === undefined ? "" : `\`${otel}\``} | ${escaped(doc)} |`);
  if (rows.length === 0) return [];
  return ["| field | type | OpenTelemetry | holds |", "|---|---|---|---|", ...rows, ""];
}

const escaped = (text: string) => text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
