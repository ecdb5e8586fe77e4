// SPDX-License-Identifier: Apache-2.0
// InfluxDB: /write and /query of version 1, /api/v2/… , /api/v3/….

import { DATABASE_FIELDS } from "../../../wire/carried_fields.ts";
import { refineProtocol } from "../../../wire/refinement.ts";

export const influxdb = refineProtocol({
  name: "influxdb",
  spec: "https://docs.influxdata.com/influxdb/v2/api/",
  fields: DATABASE_FIELDS,
  path: /^\/(?:write|query|api\/v2\/(?:write|query|delete)|api\/v3\/(?:write_lp|query_\w+))$/,
  body: false,

  refine({ path, query }) {
    const word = path.slice(path.lastIndexOf("/") + 1);
    const database = /(?:^|&)(?:db|bucket)=([^&]*)/.exec(query)?.[1];
    // Version 1 has words that others use as well: its parameters must be there.
    if (!path.startsWith("/api/") && !/(?:^|&)(?:db|q)=/.test(query)) return null;
    if (path.startsWith("/api/v2/") && !/(?:^|&)(?:org|orgID|bucket)=/.test(query)) return null;
    const operation = word.replace(/_.*/, "");
    const namespace = database === undefined ? "" : decoded(database);
    return {
      endpoint: namespace === "" ? operation : `${operation} ${namespace}`,
      fields: {
        db_system: "influxdb",
        db_operation: operation,
        ...(namespace !== "" && { db_namespace: namespace }),
      },
    };
  },
});

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
