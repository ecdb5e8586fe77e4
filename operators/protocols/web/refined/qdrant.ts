// SPDX-License-Identifier: Apache-2.0
// Qdrant, a vector database: `/collections/{name}/points/search`, or gRPC `/qdrant.Points/Search`.

import { DATABASE_FIELDS } from "../../../wire/carried_fields.ts";
import { refineProtocol } from "../../../wire/refinement.ts";

export const qdrant = refineProtocol({
  name: "qdrant",
  spec: "https://api.qdrant.tech/",
  fields: DATABASE_FIELDS,
  path: /^\/(?:collections\/[^/]+\/(?:points|index|snapshots|cluster)\b|qdrant\.)/,
  body: false,

  refine({ method, path }) {
    const [, first = "", name = "", part = "", ...rest] = path.split("/");
    if (first.startsWith("qdrant.")) {
      const operation = `${first.slice(7)}.${name}`.toLowerCase();
      return { endpoint: operation, fields: { db_system: "qdrant", db_operation: operation } };
    }
    const word = rest.find((each) => /^[a-z]+$/.test(each)) ?? method.toLowerCase();
    const operation = `${part}.${word}`;
    return {
      endpoint: `${operation} ${name}`,
      fields: { db_system: "qdrant", db_operation: operation, db_collection: name },
    };
  },
});
