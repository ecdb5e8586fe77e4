// SPDX-License-Identifier: Apache-2.0
// Elasticsearch and OpenSearch: `/{index}/_{operation}`, or `/_{group}/{operation}`.

import { DATABASE_FIELDS } from "../../../wire/carried_fields.ts";
import { refineProtocol } from "../../../wire/refinement.ts";

/** Operations on documents and searches; of other groups the next word says more. */
const OPERATIONS =
  /^(?:search|msearch|bulk|mget|doc|create|update|source|count|explain|analyze|refresh|flush|forcemerge|mappings?|settings|alias|aliases|update_by_query|delete_by_query|reindex|field_caps|termvectors|mtermvectors|rank_eval|pit|async_search|validate|close|open|rollover|stats|segments|recovery|cache|template|scripts|sql|eql|query|knn_search|search_shards|resolve|split|shrink|clone|rethrottle)$/;
const GROUPS =
  /^(?:cat|cluster|nodes|tasks|ingest|snapshot|index_template|component_template|ilm|slm|security|license|xpack|ml|transform|data_stream|plugins|remote|watcher|enrich|ccr)$/;

const DOCUMENT: Readonly<Record<string, string>> = {
  GET: "get",
  HEAD: "exists",
  POST: "index",
  PUT: "index",
  DELETE: "delete",
};

export const elasticsearch = refineProtocol({
  name: "elasticsearch",
  spec: "https://www.elastic.co/docs/api/doc/elasticsearch/",
  fields: DATABASE_FIELDS,
  path: /\/_[a-z]/,
  body: false,

  refine({ method, path }) {
    const words = path.split("/").filter((word) => word !== "");
    const at = words.findIndex((word) => word.startsWith("_") && word !== "_all");
    const word = words[at]?.slice(1) ?? "";
    const group = at === 0 && GROUPS.test(word);
    if (!group && (at > 1 || !OPERATIONS.test(word))) return null;
    const next = words[at + 1];
    const operation = word === "doc" || word === "source"
      ? DOCUMENT[method] ?? word
      : group && next !== undefined
      ? `${word}.${next}`
      : word;
    const index = at === 1 ? words[0] ?? "" : "";
    return {
      endpoint: index === "" ? operation : `${operation} ${index}`,
      fields: {
        db_system: "elasticsearch",
        db_operation: operation,
        ...(index !== "" && { db_collection: index }),
      },
    };
  },
});
