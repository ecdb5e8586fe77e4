// SPDX-License-Identifier: Apache-2.0
// The files of this repository as the tidy rules see them: read once, paths relative to the root.

import { maskSource } from "./mask_source.ts";

/** One text file. `masked` is `text` with strings, comments and regular expressions blanked. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
  readonly masked: string;
}

/** A broken rule: where, what is wrong, and what to do about it. */
export type Violation = string;

const foldersUnread = new Set([".git", ".build", "node_modules", "coverage", "golden", "fixtures"]);
const extensionsRead = [".ts", ".tsx", ".c", ".h", ".sh", ".md", ".json"];

export function readSourceTree(root: string): SourceFile[] {
  const files: SourceFile[] = [];
  const visit = (folder: string) => {
    for (const entry of Deno.readDirSync(`${root}/${folder}`)) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory) {
        if (!foldersUnread.has(entry.name)) visit(path);
      } else if (entry.isFile && isRead(path)) {
        files.push(sourceFile(path, Deno.readTextFileSync(`${root}/${path}`)));
      }
    }
  };
  visit("");
  return files.sort((a, b) => a.path < b.path ? -1 : 1);
}

export function sourceFile(path: string, text: string): SourceFile {
  let masked: string | undefined;
  return {
    path,
    text,
    lines: text.split("\n"),
    get masked() {
      return masked ??= maskSource(text);
    },
  };
}

/** Generated files and a kernel's type dump follow their generator, not these rules. */
export function isGenerated(path: string): boolean {
  return /\.gen\.|(^|\/)vmlinux/.test(path);
}

export function isTypeScript(path: string): boolean {
  return /\.tsx?$/.test(path);
}

export function isC(path: string): boolean {
  return /\.[ch]$/.test(path);
}

export function isTest(path: string): boolean {
  return path.startsWith("tests/") || /_test\.tsx?$/.test(path);
}

export function lineAt(text: string, index: number): number {
  let line = 1;
  for (let i = text.indexOf("\n"); i >= 0 && i < index; i = text.indexOf("\n", i + 1)) line++;
  return line;
}

function isRead(path: string): boolean {
  if (path === "spandrel" || path === ".ci/run") return true;
  return extensionsRead.some((extension) => path.endsWith(extension)) && path !== "deno.lock";
}
