// SPDX-License-Identifier: Apache-2.0
// gRPC-Web: calls of browsers, whose trailers are the last message of the body.

import type { Fields } from "../../../wire/protocol.ts";
import { refineProtocol } from "../../../wire/refinement.ts";

const FIELDS = {
  grpc_service: { type: "string", otel: "rpc.service", doc: "gRPC service with its package" },
  grpc_method: { type: "string", otel: "rpc.method", doc: "gRPC method" },
  grpc_status: {
    type: "string",
    otel: "rpc.response.status_code",
    doc: "gRPC status code: 0 is success",
  },
  grpc_message: { type: "string", doc: "gRPC status message" },
} as const satisfies Fields;

export const grpcWeb = refineProtocol({
  name: "grpc_web",
  spec: "https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md",
  fields: FIELDS,
  path: /^\/[A-Za-z_]\w*(?:\.\w+)+\/[A-Za-z]\w*$/,
  body: false,
  answer: {
    grpc_status: /(?:^|\n|[^\w-])grpc-status: ?(\d{1,3})(?=\r)/g,
    grpc_message: /(?:^|\n|[^\w-])grpc-message: ?([^\r\n]{1,96})(?=\r)/g,
  },

  refine({ path, contentType }) {
    if (!contentType.startsWith("application/grpc-web")) return null;
    const [, service = "", method = ""] = path.split("/");
    return {
      endpoint: `${service}/${method}`,
      fields: { grpc_service: service, grpc_method: method },
    };
  },
});
