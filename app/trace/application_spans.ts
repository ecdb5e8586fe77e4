// SPDX-License-Identifier: Apache-2.0
// `--spans FILE`: what applications wrote about themselves, for the flow of spans.

import type { AppJoinParams } from "../../operators/app_join.ts";
import { asRefusal } from "./record_source.ts";

/** Nothing without the option. A file with nothing to read in it is refused. */
export async function readApplicationSpans(
  { spans: path }: { readonly spans?: string },
): Promise<{ readonly applicationSpans?: AppJoinParams }> {
  if (path === undefined) return {};
  const { readSpansFile } = await import("../../operators/sources/otlp/spans_file.ts");
  try {
    const { spans, malformed, linesMalformed, overLimit } = readSpansFile(path);
    return { applicationSpans: { spans, malformed: malformed + linesMalformed, overLimit } };
  } catch (error) {
    throw asRefusal(error);
  }
}
