// SPDX-License-Identifier: Apache-2.0
// Markdown that tells the truth: every relative link leads to a file or a heading that exists.

import { lineAt, type SourceFile, type Violation } from "./source_tree.ts";

/** Links of one document that lead nowhere; `exists` is asked about paths from the root. */
export function brokenLinks(
  file: SourceFile,
  headingsAt: (path: string) => ReadonlySet<string> | undefined,
  exists: (path: string) => boolean,
): Violation[] {
  const text = withoutCode(file.text);
  const links = text.matchAll(/!?\[[^\]]*\]\(\s*<?([^)\s>]+)[^)]*\)|^\[[^\]]+\]:\s*(\S+)/gm);
  return [...links].flatMap((match) => {
    const link = match[1] ?? match[2] ?? "";
    if (/^[a-z][a-z0-9+.-]*:/i.test(link)) return [];
    const [pathPart = "", anchor = ""] = link.split("#", 2);
    const path = pathPart === "" ? file.path : join(file.path, decodeURIComponent(pathPart));
    const place = `${file.path}:${lineAt(file.text, match.index)}`;
    if (!exists(path)) return [`${place}: the link to ${link} leads to no file; correct the path`];
    const headings = anchor === "" ? undefined : headingsAt(path);
    if (headings === undefined || headings.has(anchor)) return [];
    return [`${place}: no heading in ${path} has the anchor #${anchor}; correct the link`];
  });
}

/** Anchors of a document's headings, as code hosts make them. */
export function headingAnchors(text: string): Set<string> {
  const headings = withoutCode(text).matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm);
  return new Set(
    [...headings].map((match) =>
      (match[1] ?? "").toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").replace(/\s/g, "-")
    ),
  );
}

/** Code keeps its place but shows nothing, so that brackets in it are not taken for links. */
function withoutCode(text: string): string {
  return text.replace(/^```[\s\S]*?^```|`[^`\n]*`/gm, (code) => code.replace(/[^\n]/g, "."));
}

function join(from: string, relative: string): string {
  return new URL(relative, `file:///${from}`).pathname.slice(1).replace(/\/$/, "");
}
