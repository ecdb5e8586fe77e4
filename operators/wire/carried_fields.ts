// SPDX-License-Identifier: Apache-2.0
// Fields that several refinements share.

import type { Fields } from "./protocol.ts";

/** A database behind HTTP or gRPC. */
export const DATABASE_FIELDS = {
  db_system: { type: "string", otel: "db.system.name", doc: "database that is spoken to" },
  db_operation: { type: "string", otel: "db.operation.name", doc: "operation on the database" },
  db_collection: {
    type: "string",
    otel: "db.collection.name",
    doc: "index, collection or measurement",
  },
  db_namespace: { type: "string", otel: "db.namespace", doc: "database or bucket" },
} as const satisfies Fields;
