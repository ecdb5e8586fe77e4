// SPDX-License-Identifier: Apache-2.0
// Rules that can be judged from one file alone: its name, size, first lines, and words in it.

import {
  isC,
  isTest,
  isTypeScript,
  lineAt,
  type SourceFile,
  type Violation,
} from "./source_tree.ts";

export const fileLinesMax = 400;
export const columnsMax = 100;
export const filesPerFolderMax = 16;

const namesForbidden = /^(utils?|helpers?|common|shared|misc|base|managers?)$/;

/** Names that say nothing of what is inside; a part of a name counts as well (`span_utils`). */
export function vagueName(path: string): Violation[] {
  const parts = path.split("/").flatMap((part) => part.split(".")[0]?.split(/[_-]/) ?? []);
  const vague = parts.find((part) => namesForbidden.test(part));
  if (vague === undefined) return [];
  return [`${path}:1: "${vague}" names no idea; name the file for what it holds`];
}

/** Files and folders are snake_case, so that a name is the same on every file system. */
export function oddName(path: string): Violation[] {
  if (!isTypeScript(path) && !isC(path)) return [];
  const odd = path.split("/").find((part) => !/^[a-z0-9_]+(\.[a-z0-9]+)*$/.test(part));
  if (odd === undefined) return [];
  return [`${path}:1: "${odd}" is not snake_case; rename it`];
}

export function sizes(file: SourceFile): Violation[] {
  if (!isTypeScript(file.path) && !isC(file.path)) return [];
  const found: Violation[] = [];
  const lines = file.text.endsWith("\n") ? file.lines.length - 1 : file.lines.length;
  if (lines > fileLinesMax) {
    found.push(`${file.path}:1: ${lines} lines, at most ${fileLinesMax}; split it by idea`);
  }
  file.lines.forEach((line, index) => {
    if (line.length <= columnsMax || unbreakable.test(line)) return;
    found.push(
      `${file.path}:${index + 1}: ${line.length} columns, at most ${columnsMax}; break the line`,
    );
  });
  return found;
}

/** An address, and a pattern or text that has the line to itself, stay whole. */
const unbreakable = /https?:\/\/|^\s*(\/[^/*].*\/[a-z]*|"[^"]*"|`[^`]*`)[;,)]*$/;

/** A licence on the first line, and a comment that says what the file is for before any code. */
export function opening(file: SourceFile): Violation[] {
  const isShell = file.path === "spandrel" || file.path === ".ci/run" || file.path.endsWith(".sh");
  if (!isTypeScript(file.path) && !isC(file.path) && !isShell) return [];
  const lines = isShell ? file.lines.slice(1) : file.lines;
  const licence = file.path.endsWith(".bpf.c") || file.path.endsWith(".bpf.h") ||
      (isC(file.path) && file.path.startsWith("bpf/"))
    ? /^(\/\/|\/\*) SPDX-License-Identifier: \(?GPL-2\.0-only OR BSD-2-Clause\)?( \*\/)?$/
    : /^(\/\/|#) SPDX-License-Identifier: Apache-2\.0$/;
  const found: Violation[] = [];
  if (!licence.test(lines[0] ?? "")) {
    found.push(`${file.path}:1: no licence; begin with the SPDX-License-Identifier line`);
  }
  if (/_test\.tsx?$/.test(file.path)) return found; // named for what it tests
  const second = lines.slice(1).find((line) => line.trim() !== "" && !/^(\/\/|#)$/.test(line));
  if (!/^\s*(\/\/|\/\*|#(?!include|define|ifndef|pragma))\s*\S*/.test(second ?? "")) {
    found.push(`${file.path}:2: says not what it is for; write it below the licence line`);
  }
  return found;
}

/** Words of a source file that switch types off, or mark work as unfinished. */
const words: readonly { pattern: RegExp; in: "code" | "text"; remedy: string }[] = [
  {
    pattern: /(?<=[:<|&(,]\s*|\bas\s+|\bextends\s+)any\b(?!\s*[:(=])/g,
    in: "code",
    remedy: "name the type, or narrow unknown",
  },
  { pattern: /[\w)\]]!(?=[.[;,)\s](?!=))/g, in: "code", remedy: "check for null instead of `!`" },
  { pattern: /@ts-(ignore|nocheck|expect-error)/g, in: "text", remedy: "mend the type" },
  { pattern: /deno-lint-[i]gnore-file/g, in: "text", remedy: "mend what the linter found" },
  {
    pattern: /deno-lint-[i]gnore (?!.* -- \w)/g,
    in: "text",
    remedy: "write the reason behind it: `-- because`",
  },
  {
    pattern: /\b(ignore|only):\s*true\b|\bDeno\.test\.(ignore|only)\b/g,
    in: "code",
    remedy: "run it, or say what it needs by e2e(name, { needs })",
  },
  { pattern: /\b(enum|namespace)\s+[A-Z]\w*\s*\{/g, in: "code", remedy: "use a union of literals" },
  {
    pattern: new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME", "X" + "XX"].join("|")})\\b`, "g"),
    in: "text",
    remedy: "do it now, or leave it out",
  },
  { pattern: /\bnot (yet )?implemented\b/gi, in: "text", remedy: "implement it or leave it out" },
];

export function forbiddenWords(file: SourceFile): Violation[] {
  if (!isTypeScript(file.path) && !isC(file.path)) return [];
  return words.flatMap((word) => {
    if (isC(file.path) && word.in === "code") return [];
    const text = word.in === "code" ? file.masked : file.text;
    return [...text.matchAll(word.pattern)]
      .filter((match) => !isAllowed(file, match))
      .map((match) =>
        `${file.path}:${lineAt(text, match.index)}: "${match[0].trim()}" in it; ${word.remedy}`
      );
  });
}

/** Tests pin compile errors with expect-error; an `any` may have its reason on the line above. */
function isAllowed(file: SourceFile, match: RegExpExecArray): boolean {
  const word = match[0].trim();
  if (word.endsWith("expect-error")) return isTest(file.path);
  if (word !== "any") return false;
  const above = file.lines[lineAt(file.text, match.index) - 2] ?? "";
  return above.includes("no-explicit-any -- ");
}

/** End-to-end tests share the kernel: the wrapper gives each its turn, and its reason to skip. */
export function unguardedTest(file: SourceFile): Violation[] {
  if (!file.path.startsWith("tests/e2e/") || !isTypeScript(file.path)) return [];
  return [...file.masked.matchAll(/\bDeno\.test\(/g)].map((match) =>
    `${file.path}:${lineAt(file.masked, match.index)}: calls Deno.test; register it by ` +
    `e2e(name, { needs }, fn) of tests/support/e2e.ts`
  );
}

/**
 * Native memory is touched in one folder; a library is opened by a call, never by an import.
 * Tests may: some try whether it is refused.
 */
export function nativeAccess(file: SourceFile): Violation[] {
  if (!isTypeScript(file.path)) return [];
  const uses = file.masked.matchAll(/\bDeno\s*\.\s*(dlopen|Unsafe\w+)/g);
  return [...uses].flatMap((match) => {
    const place = `${file.path}:${lineAt(file.masked, match.index)}`;
    if (!file.path.startsWith("ffi/") && !isTest(file.path)) {
      return [`${place}: names Deno.${match[1]}, which only ffi/ may; call what ffi/ exports`];
    }
    const before = file.masked.slice(0, match.index);
    const depth = before.split("{").length - before.split("}").length;
    if (depth > 0 || match[1] !== "dlopen") return [];
    return [`${place}: opens a library while being imported; do it in a function`];
  });
}

/** Paths of one machine and hosts of a registry mean nothing to a reader elsewhere. */
export function machinePaths(file: SourceFile): Violation[] {
  const pattern = new RegExp(
    [
      "/wo" + "rk/",
      "/fa" + "rm/",
      "/home/\\w",
      "/Users/\\w",
      "/tmp/\\w+/",
      "registry\\.[a-z]+\\.(?:org|com)",
    ]
      .map((part) => `(?<![\\w.$}])${part}`).join("|"),
    "g",
  );
  if (isTest(file.path) && !file.path.endsWith(".md")) return [];
  return [...file.text.matchAll(pattern)].map((match) =>
    `${file.path}:${lineAt(file.text, match.index)}: "${match[0]}" is a path or host of one ` +
    `machine; write a placeholder or a relative path`
  );
}

/** Folders that hold more than a reader takes in at a glance, tests beside the code not counted. */
export function crowdedFolders(
  paths: readonly string[],
  isExempt: (folder: string) => boolean,
): Violation[] {
  const counts = new Map<string, number>();
  for (const path of paths) {
    if (!(isTypeScript(path) || isC(path)) || /_test\.tsx?$/.test(path)) continue;
    const folder = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "";
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  return [...counts].flatMap(([folder, count]) =>
    count <= filesPerFolderMax || isExempt(folder)
      ? []
      : [`${folder}:1: ${count} source files, at most ${filesPerFolderMax}; group them by subject`]
  );
}
