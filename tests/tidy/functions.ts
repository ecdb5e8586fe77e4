// SPDX-License-Identifier: Apache-2.0
// Lengths of functions, from the braces of the masked source. The lines of named functions inside
// do not count to the one around them, as the methods of a class do not make one long function;
// callbacks without a name do.

import { isC, isTypeScript, type SourceFile, type Violation } from "./source_tree.ts";

export const functionLinesMax = 70;

interface Block {
  readonly brace: number;
  readonly line: number;
  /** Lines of named functions inside. */
  inside: number;
}

export function longFunctions(file: SourceFile): Violation[] {
  if (!isTypeScript(file.path) && !isC(file.path)) return [];
  const found: Violation[] = [];
  const open: Block[] = [];
  const code = file.masked;
  let line = 1;
  for (let i = 0; i < code.length; i++) {
    const c = code.charAt(i);
    if (c === "\n") line++;
    else if (c === "{") open.push({ brace: i, line, inside: 0 });
    if (c !== "}") continue;
    const block = open.pop();
    if (block === undefined || block.line === line) continue;
    const lines = line - block.line + 1;
    const kind = blockKind(header(code, block.brace), isC(file.path));
    const around = open.at(-1);
    if (around !== undefined) around.inside += kind === "named" ? lines : block.inside;
    const own = lines - block.inside;
    if (kind !== "other" && own > functionLinesMax) {
      found.push(
        `${file.path}:${block.line}: function of ${own} lines, at most ${functionLinesMax}; ` +
          `give a part that has a name of its own a function of its own`,
      );
    }
  }
  return found;
}

/** The statement that a brace belongs to, back to the end of the one before; one line of text. */
function header(code: string, brace: number): string {
  let depth = 0;
  let start = brace - 1;
  for (; start >= 0; start--) {
    const c = code.charAt(start);
    if (c === ")" || c === "]") depth++;
    else if (c === "(" || c === "[") depth--;
    if (depth < 0 || (depth === 0 && /[;{}]/.test(c))) break;
  }
  return code.slice(start + 1, brace).replace(/\s+/g, " ").trim();
}

const modifiers = "(export |default |async |static |override |private |get |set |\\*|#)*";
const method = new RegExp(`^${modifiers}[\\w$[\\].]+ ?(<.*>)?\\(.*\\)( ?:.*)?$`);
const assigned = /(^|\s)(const|let|readonly)? ?[\w$.#]+( ?:[^=]*)? ?[=:] (async )?(<.*>)?\(?.*=>$/;

function blockKind(head: string, inC: boolean): "named" | "callback" | "other" {
  if (/^(\} )?(if|for|while|switch|else|do|catch|try|finally|with)\b/.test(head)) return "other";
  if (/\b(class|interface|enum|namespace|struct|union)\b[^()]*$/.test(head)) return "other";
  if (inC) return /\)( __\w+(\(.*\))?)?$/.test(head) ? "named" : "other";
  if (/=>$/.test(head)) return assigned.test(head) ? "named" : "callback";
  return /\bfunction\b \*?\w/.test(head) || method.test(head) ? "named" : "other";
}
