// SPDX-License-Identifier: Apache-2.0
// The option that brings in protocols of the user's own.

export const protocolFileFlag = {
  kind: "parsed",
  parse: String,
  brief: "TypeScript or TOML file that defines one more protocol",
  placeholder: "file",
  variadic: ",",
  optional: true,
} as const;
