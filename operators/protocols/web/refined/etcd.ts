// SPDX-License-Identifier: Apache-2.0
// etcd: version 3 by gRPC (`/etcdserverpb.KV/Range`) or its JSON gateway (`/v3/kv/range`),
// version 2 by `/v2/keys/…`. Keys of version 3 stand in the body and are not read.

import { DATABASE_FIELDS } from "../../../wire/carried_fields.ts";
import { refineProtocol } from "../../../wire/refinement.ts";

export const etcd = refineProtocol({
  name: "etcd",
  spec: "https://etcd.io/docs/latest/dev-guide/api_reference_v3/",
  fields: DATABASE_FIELDS,
  path:
    /^\/(?:etcdserverpb\.|v3(?:alpha|beta)?\/(?:kv|watch|lease|auth|cluster|election|lock|maintenance)|v2\/(?:keys|members)\b)/,
  body: false,

  refine({ method, path }) {
    const words = path.split("/").slice(2).filter((word) => word !== "");
    const operation = path.startsWith("/v2/")
      ? `${words[0]}.${method.toLowerCase()}`
      : path.startsWith("/etcdserverpb.")
      ? `${path.slice(14, path.indexOf("/", 14))}.${words[0]}`.toLowerCase()
      : words.slice(0, 2).join(".");
    return { endpoint: operation, fields: { db_system: "etcd", db_operation: operation } };
  },
});
