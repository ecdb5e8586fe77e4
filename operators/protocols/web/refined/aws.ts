// SPDX-License-Identifier: Apache-2.0
// APIs of AWS and what imitates them: an X-Amz-Target header (`DynamoDB_20120810.GetItem`), a form
// with Action and Version (SQS, SNS, EC2 …), or the host of a bucket (S3).

import type { Fields } from "../../../wire/protocol.ts";
import { type Carried, refineProtocol } from "../../../wire/refinement.ts";

const FIELDS = {
  aws_service: { type: "string", otel: "rpc.service", doc: "service of AWS" },
  aws_operation: { type: "string", otel: "rpc.method", doc: "operation of the service" },
} as const satisfies Fields;

const S3: Readonly<Record<string, string>> = {
  GET: "GetObject",
  PUT: "PutObject",
  HEAD: "HeadObject",
  DELETE: "DeleteObject",
};

export const aws = refineProtocol({
  name: "aws",
  spec: "https://smithy.io/2.0/aws/protocols/index.html",
  fields: FIELDS,
  path: /^\/$/,
  host: /amazonaws\.com(?:\.cn)?(?::\d+)?$/,
  body: true,

  refine(request) {
    const [service, operation] = byTarget(request) ?? byForm(request) ?? byBucket(request) ??
      ["", ""];
    if (operation === "") return null;
    return {
      endpoint: `${service}.${operation}`,
      fields: { aws_service: service, aws_operation: operation },
    };
  },
});

type Call = readonly [service: string, operation: string];

function byTarget({ target }: Carried): Call | null {
  const [, service, operation] = /^([A-Za-z0-9.]+?)(?:_\d{8})?\.(\w+)$/.exec(target) ?? [];
  return service === undefined || operation === undefined
    ? null
    : [service.replace(/^Amazon(?=[A-Z])/, ""), operation];
}

function byForm({ body, host }: Carried): Call | null {
  const operation = /(?:^|&)Action=([A-Z]\w{1,64})(?:&|$)/.exec(body)?.[1];
  if (operation === undefined || !/(?:^|&)Version=20\d\d-\d\d-\d\d/.test(body)) return null;
  const service = /^([a-z][a-z0-9-]*)\./.exec(host)?.[1] ?? "";
  return [service === "" ? "aws" : service, operation];
}

/** `bucket.s3.region.amazonaws.com/key`, or `s3.region.amazonaws.com/bucket/key` */
function byBucket({ host, method, path, query }: Carried): Call | null {
  const [, bucket] = /^(.*\.)?s3[.-][a-z0-9.-]*amazonaws\.com/.exec(host) ?? [null, null];
  if (bucket === null) return null;
  const object = bucket === undefined ? /^\/[^/]+\/./.test(path) : path !== "/";
  if (object) return ["S3", S3[method] ?? "PostObject"];
  return ["S3", /list-type=2/.test(query) ? "ListObjectsV2" : `${method} bucket`];
}
