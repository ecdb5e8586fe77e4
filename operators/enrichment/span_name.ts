// SPDX-License-Identifier: Apache-2.0
// Names of spans as OpenTelemetry forms them: low in number, the operation and what it is done to.

/** Protocols whose endpoint names the operation as well: `SELECT users`, `pkg.Service/Method`. */
const ENDPOINT_ALONE: ReadonlySet<string> = new Set([
  "dubbo",
  "grpc",
  "mongodb",
  "mysql",
  "postgresql",
  "thrift",
]);

/** `{type} {endpoint}`, less what would be said twice. */
export function spanName(protocol: string, type: string, endpoint: string): string {
  if (endpoint === "") return type === "" ? protocol : type;
  const alone = type === "" || ENDPOINT_ALONE.has(protocol) || endpoint === type ||
    endpoint.startsWith(`${type} `);
  return alone ? endpoint : `${type} ${endpoint}`;
}
