// SPDX-License-Identifier: Apache-2.0
// GraphQL over HTTP: the document is in the body (POST) or in the query (GET).

import type { Fields } from "../../../wire/protocol.ts";
import { type Carried, refineProtocol } from "../../../wire/refinement.ts";

const FIELDS = {
  graphql_type: {
    type: "string",
    otel: "graphql.operation.type",
    doc: "query, mutation or subscription",
  },
  graphql_operation: { type: "string", otel: "graphql.operation.name", doc: "operation name" },
  graphql_failed: { type: "boolean", doc: "the answer has errors, whatever its status code says" },
} as const satisfies Fields;

export const graphql = refineProtocol({
  name: "graphql",
  spec: "https://graphql.github.io/graphql-over-http/draft/",
  fields: FIELDS,
  path: /\/graphql\/?$|\/gql$/i,
  body: true,
  answer: { graphql_failed: /"errors"\s*:\s*\[\s*\{/g },

  refine(request) {
    const text = documentOf(request);
    const named = nameOf(request);
    // The name tells which of several operations is meant; else there is only one.
    const operation = named === ""
      ? /(?:^|\s|\})(query|mutation|subscription)(?:\s+([A-Za-z_]\w*))?\s*[({@]/.exec(text)
      : new RegExp(`(query|mutation|subscription)\\s+(${named})\\b`).exec(text);
    const type = operation?.[1] ?? (/^\s*\{/.test(text) ? "query" : "");
    const name = named !== "" ? named : operation?.[2] ?? "";
    if (type === "" && name === "") return null;
    return {
      endpoint: [type, name].filter((word) => word !== "").join(" "),
      fields: {
        ...(type !== "" && { graphql_type: type }),
        ...(name !== "" && { graphql_operation: name }),
      },
    };
  },
});

/** The document: as it is, the text of a JSON value (up to where it was captured), or encoded. */
function documentOf({ method, query, body, contentType }: Carried): string {
  if (method === "GET") return decoded(/(?:^|&)query=([^&]*)/.exec(query)?.[1] ?? "");
  if (contentType.startsWith("application/graphql") && !body.startsWith('{"')) return body;
  const text = /"query"\s*:\s*"((?:[^"\\]|\\.)*)/.exec(body)?.[1] ?? "";
  return text.replaceAll(/\\[nrt]/g, " ").replaceAll(/\\(.)/g, "$1");
}

function nameOf({ method, query, body }: Carried): string {
  return method === "GET"
    ? /(?:^|&)operationName=(\w+)/.exec(query)?.[1] ?? ""
    : /"operationName"\s*:\s*"(\w{1,128})"/.exec(body)?.[1] ?? "";
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value.replaceAll("+", " "));
  } catch {
    return value;
  }
}
