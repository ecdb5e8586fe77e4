// SPDX-License-Identifier: Apache-2.0
// Milvus, a vector database: `/v2/vectordb/entities/search` with the collection in the body, or
// gRPC `/milvus.proto.milvus.MilvusService/Search`.

import { DATABASE_FIELDS } from "../../../wire/carried_fields.ts";
import { refineProtocol } from "../../../wire/refinement.ts";

export const milvus = refineProtocol({
  name: "milvus",
  spec: "https://milvus.io/api-reference/restful/",
  fields: DATABASE_FIELDS,
  path: /^\/(?:v[12]\/vectordb\/|v1\/vector\/|milvus\.proto\.milvus\.)/,
  body: true,

  refine({ path, body }) {
    const words = path.split("/");
    const operation = (path.startsWith("/milvus.") ? words.slice(2) : words.slice(3))
      .join(".").toLowerCase();
    const collection = /"(?:collectionName|collection_name)"\s*:\s*"([^"\\]{1,255})"/.exec(body)
      ?.[1];
    return {
      endpoint: collection === undefined ? operation : `${operation} ${collection}`,
      fields: {
        db_system: "milvus",
        db_operation: operation,
        ...(collection !== undefined && { db_collection: collection }),
      },
    };
  },
});
